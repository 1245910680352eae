"""Stripe's side and the phone's side of a card payment."""

from dataclasses import replace
from datetime import datetime, timedelta

from parking.adapters.memory.cards import MemoryCards
from parking.domain.ids import PaymentId
from parking.services.ports import CardError, Intent

STORED_FOR = timedelta(hours=24)
STORED_500 = "stored 500"
FOREIGN_INTENT = "pi_of_another_product"
ENDED = ("succeeded", "canceled")


class SimulatedCards(MemoryCards):
    """MemoryCards with what Stripe does besides: 3-D Secure, cancelling, and answers that it has stored."""

    def __init__(self) -> None:
        super().__init__()
        self._stored_500_until: dict[PaymentId, datetime] = {}
        self._intents[FOREIGN_INTENT] = Intent(
            intent_id=FOREIGN_INTENT,
            status="succeeded",
            amount_minor=1,
            amount_received_minor=1,
            currency="EUR",
            client_secret="",
            user_id=None,
            payment_id=None,
        )

    @property
    def intents(self) -> list[Intent]:
        """Every PaymentIntent, in the order of their making."""
        return list(self._intents.values())

    def store_500(self, payment_id: PaymentId, now: datetime) -> None:
        """Stripe's first answer for this idempotency key was a 500; it says the same for a day."""
        self._stored_500_until.setdefault(payment_id, now + STORED_FOR)

    def check_stored(self, payment_id: PaymentId, now: datetime) -> None:
        """Raises CardError where the stored answer is a 500."""
        until = self._stored_500_until.get(payment_id)
        if until and now < until:
            raise CardError(f"the {STORED_500}")

    def decline(self, intent_id: str) -> None:
        """The driver's bank says no; Stripe waits for another card."""
        self._intents[intent_id] = replace(self.intent(intent_id), status="requires_payment_method")

    def require_action(self, intent_id: str) -> None:
        """The bank wants 3-D Secure; the driver may do it later, or never."""
        self._intents[intent_id] = replace(self.intent(intent_id), status="requires_action")

    def cancel(self, intent_id: str) -> None:
        """Stripe gives up waiting."""
        self._intents[intent_id] = replace(self.intent(intent_id), status="canceled")
