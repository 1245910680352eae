"""Drivers' money: wallets, cards, and the sheets in which cards are used and saved."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from parking.domain.customer import Customer
from parking.domain.ids import ExtensionId, ReservationId, UserId
from parking.domain.ledger import Wallet
from payments.schemas import SetupOut, StartedPaymentOut
from tests.simulation import api_calls, card_calls
from tests.simulation.api_calls import ApiCall
from tests.simulation.stripe import ENDED

if TYPE_CHECKING:
    from tests.simulation.world import World


class Purse:
    """What one driver does with it; `ask` sends a request, `key` makes a new Idempotency-Key."""

    def __init__(self, world: "World", user_id: UserId, ask: Callable[[ApiCall], Any], key: Callable[[], str]) -> None:
        self._world = world
        self._user_id = user_id
        self._ask = ask
        self._key = key
        self._intents: list[str] = []
        self._setups: list[str] = []

    def pay(self, reservation_id: ReservationId, extension_id: ExtensionId | None = None) -> None:
        """From the wallet, by a new card, or by a saved one; sometimes with a second thought at once."""
        draws = self._world.draws
        self._pay_once(reservation_id, extension_id)
        if self._world.profile.theme in ("money", "mixed") and draws.chance(150):
            self._pay_once(reservation_id, extension_id)

    def _pay_once(self, reservation_id: ReservationId, extension_id: ExtensionId | None) -> None:
        by_card = 600 if self._world.profile.theme == "money" else 150
        if not self._world.draws.chance(by_card):
            self._ask(api_calls.pay(self._user_id, self._key(), reservation_id, extension_id))
            return
        card = self._a_card()
        self._ask(card_calls.pay_by_card(self._user_id, self._key(), reservation_id, extension_id, card))
        if card is None and self._world.draws.chance(600):
            self.use_card()

    def deposit(self) -> None:
        """Fill the wallet; the card sheet comes later."""
        amount_minor = self._world.draws.pick((500, 2_000, 10_000, 100, 99, 50_000, 50_001))
        self._ask(card_calls.deposit(self._user_id, self._key(), amount_minor, self._a_card()))

    def withdraw(self) -> None:
        """All of the wallet, some of it, or more than may be."""
        wallet = self._world.store.get(Wallet, self._user_id)
        balance_minor = wallet.balance_minor if wallet else 0
        amount_minor = self._world.draws.pick((balance_minor, balance_minor // 2, 100, 99, balance_minor + 1, 50_001))
        self._ask(card_calls.withdraw(self._user_id, self._key(), amount_minor))

    def manage_cards(self) -> None:
        """Save a card, finish saving one, prefer or remove one; now and then somebody else's."""
        draws, world = self._world.draws, self._world
        card = self._a_card() if draws.chance(800) else None
        others = sorted(world.saved_cards)
        match draws.pick(("save", "finish", "finish", "prefer", "remove", "remove", "remove", "another's")):
            case "finish" if self._setups:
                self._finish_saving(draws.pick(self._setups))
            case "prefer" if card:
                self._ask(card_calls.prefer_card(self._user_id, card))
            case "remove" if card:
                self._ask(card_calls.remove_card(self._user_id, card))
            case "another's" if others:
                self._ask(card_calls.prefer_card(self._user_id, draws.pick(others)))
            case _:
                self.save_card()

    def save_card(self) -> None:
        """Begin to save a card; most drivers finish at once."""
        begun = self._ask(card_calls.save_card(self._user_id, self._key()))
        if begun and self._world.draws.chance(700):
            self._finish_saving(begun.setup_id)

    def _finish_saving(self, setup_id: str) -> None:
        world = self._world
        world.saved_cards.add(world.cards.save_card(setup_id))
        world.say("{} saves a card in {}", self._user_id, setup_id)
        world.emit("webhook", ("setup_intent.succeeded", setup_id), world.now)

    def use_card(self) -> None:
        """The card sheet of an open payment, whatever became of it; Stripe tells us of each thing that happens."""
        world = self._world
        known = {one.intent_id: one.status for one in world.cards.intents}
        open_ids = [intent_id for intent_id in self._intents if known.get(intent_id) not in ENDED]
        if not open_ids:
            self.deposit()
            return
        intent_id = world.draws.pick(open_ids)
        done = world.draws.pick(("pays", "pays", "pays", "pays", "declined", "3-D Secure", "processing"))
        world.say("{} {} at the card sheet of {}", self._user_id, done, intent_id)
        match done:
            case "pays":
                world.cards.pay(intent_id)
            case "declined":
                world.cards.fail(intent_id, "generic_decline")
            case "3-D Secure":
                world.cards.require_action(intent_id)
            case _:
                world.cards.processing(intent_id)
        world.emit("webhook", ("payment_intent.changed", intent_id), world.now)

    def _a_card(self) -> str | None:
        """One of the driver's saved cards, or None for a new one."""
        customer = self._world.store.get(Customer, self._user_id)
        saved = [one.payment_method_id for one in customer.payment_methods] if customer else []
        return self._world.draws.pick(saved) if saved and self._world.draws.chance(600) else None

    def remember(self, answer: object) -> None:
        """What the phone knows from now on: where its card sheets are."""
        match answer:
            case StartedPaymentOut(client_secret=str(secret)):
                intent_id = secret.removesuffix("_secret")
                if intent_id not in self._intents:
                    self._intents.append(intent_id)
            case SetupOut(setup_id=setup_id) if setup_id not in self._setups:
                self._setups.append(setup_id)
