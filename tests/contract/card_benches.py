"""The two card gateways, each with the driver's phone, the bank and Stripe's own doings at hand."""

from enum import Enum
from typing import Any, Protocol

import httpx

from parking.adapters.memory.cards import MemoryCards
from parking.adapters.stripe_cards import StripeCards
from parking.services.ports import CardGateway, CardRefund, CardSetup, Intent

SECRET_KEY = "sk_test_contract"
PHONE = {"Authorization": "Bearer pk_test_contract"}
BACKEND = {"Authorization": f"Bearer {SECRET_KEY}"}


class Card(Enum):
    """Stripe's test cards, https://docs.stripe.com/testing; SLOW is the emulator's own."""

    GOOD = "4242424242424242"
    DECLINED = "4000000000000341"
    ASKS_3D_SECURE = "4000002760003184"
    SLOW = "4000000000888880"
    DISPUTED = "4000000000000259"
    REFUND_COMES_LATE = "4000000000007726"
    REFUND_FAILS = "4000000000005126"


class Bench(Protocol):
    """The port, and what the others do."""

    @property
    def cards(self) -> CardGateway:
        """The gateway under test."""
        ...

    def has_customer(self, customer_id: str) -> bool:
        """Whether Stripe knows this customer."""
        ...

    def pay(self, intent: Intent, card: Card = Card.GOOD) -> None:
        """The driver confirms with a new card; what the bank says shows in the intent."""
        ...

    def save(self, setup: CardSetup, card: Card = Card.GOOD) -> None:
        """The driver's app completes the SetupIntent."""
        ...

    def let_the_bank_decide(self, intent: Intent) -> None:
        """A payment that was processing succeeds."""
        ...

    def move_on(self, refund: CardRefund) -> None:
        """A pending refund succeeds; one that had succeeded fails."""
        ...

    def close_dispute(self, stripe_id: str, *, won: bool) -> None:
        """The bank decides."""
        ...


class MemoryBench:
    """The gateway in memory is told what each card does."""

    def __init__(self) -> None:
        self.cards = MemoryCards()

    def has_customer(self, customer_id: str) -> bool:
        return customer_id not in self.cards.deleted_customers

    def pay(self, intent: Intent, card: Card = Card.GOOD) -> None:
        match card:
            case Card.DECLINED:
                self.cards.fail(intent.intent_id, "generic_decline")
            case Card.ASKS_3D_SECURE:
                self.cards.require_action(intent.intent_id)
            case Card.SLOW:
                self.cards.processing(intent.intent_id)
            case _:
                self.cards.pay(intent.intent_id)
        if card is Card.DISPUTED:
            self.cards.open_dispute(intent.intent_id)
        if card is Card.REFUND_COMES_LATE:
            self.cards.refunds_start = "pending"

    def save(self, setup: CardSetup, card: Card = Card.GOOD) -> None:
        payment_method_id = self.cards.save_card(setup.setup_id, "visa", card.value[-4:])
        if card is Card.DECLINED:
            self.cards.declines[payment_method_id] = "generic_decline"
        if card is Card.ASKS_3D_SECURE:
            self.cards.asks_3d_secure.add(payment_method_id)

    def let_the_bank_decide(self, intent: Intent) -> None:
        self.cards.pay(intent.intent_id)

    def move_on(self, refund: CardRefund) -> None:
        self.cards.end_refund(refund.stripe_id, "succeeded" if refund.status == "pending" else "failed")

    def close_dispute(self, stripe_id: str, *, won: bool) -> None:
        self.cards.close_dispute(stripe_id, won=won)


class StripeBench:
    """Our emulator, by the calls of the mobile SDK and those that stand for the bank."""

    def __init__(self, base: str) -> None:
        self.cards = StripeCards(SECRET_KEY, base)
        self._base = base

    def has_customer(self, customer_id: str) -> bool:
        return httpx.get(f"{self._base}/v1/customers/{customer_id}", headers=BACKEND).is_success

    def pay(self, intent: Intent, card: Card = Card.GOOD) -> None:
        fields = {"client_secret": intent.client_secret, **_card_form(card)}
        answer = self._post(f"payment_intents/{intent.intent_id}/confirm", PHONE, fields)
        if card is not Card.DECLINED:  # which is answered by 402
            answer.raise_for_status()

    def save(self, setup: CardSetup, card: Card = Card.GOOD) -> None:
        fields = {"client_secret": setup.client_secret, **_card_form(card)}
        path = f"setup_intents/{setup.setup_id}"
        shown = self._post(f"{path}/confirm", PHONE, fields).raise_for_status().json()
        if shown["status"] == "requires_action":
            passed = {"client_secret": setup.client_secret, "success": "true"}
            self._post(f"{path}/_authenticate", PHONE, passed).raise_for_status()

    def let_the_bank_decide(self, intent: Intent) -> None:
        self._post(f"payment_intents/{intent.intent_id}/_settle", BACKEND, {"success": "true"}).raise_for_status()

    def move_on(self, refund: CardRefund) -> None:
        self._post(f"refunds/{refund.stripe_id}/_settle", BACKEND, {}).raise_for_status()

    def close_dispute(self, stripe_id: str, *, won: bool) -> None:
        self._post(f"disputes/{stripe_id}/_close", BACKEND, {"won": str(won).lower()}).raise_for_status()

    def _post(self, path: str, headers: dict[str, str], fields: dict[str, Any]) -> httpx.Response:
        return httpx.post(f"{self._base}/v1/{path}", data=fields, headers=headers)


def _card_form(card: Card) -> dict[str, str]:
    numbers = {"number": card.value, "exp_month": "12", "exp_year": "2030", "cvc": "123"}
    form = {f"payment_method_data[card][{name}]": value for name, value in numbers.items()}
    return {"payment_method_data[type]": "card", **form}
