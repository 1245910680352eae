"""Stripe's side of card payments: what it has stored, and what its dashboard and the banks do."""

from datetime import datetime, timedelta

from parking.adapters.memory.cards import MemoryCards
from parking.services.ports import CardDispute, CardError, CardRefund, Intent

STORED_FOR = timedelta(hours=24)
STORED_500 = "stored 500"
FOREIGN_INTENT = "pi_of_another_product"
ENDED = ("succeeded", "canceled")


class SimulatedCards(MemoryCards):
    """MemoryCards with the answers that Stripe has stored, and its lists for the checks."""

    def __init__(self, begins_at: datetime) -> None:
        super().__init__()
        self.breaks_refunds = False
        """Whether Stripe answers each new refund with a 500, and stores that."""
        self._stored_500_until: dict[str, datetime] = {}
        self._created_at[FOREIGN_INTENT] = begins_at
        self._intents[FOREIGN_INTENT] = Intent(
            intent_id=FOREIGN_INTENT,
            status="succeeded",
            amount_minor=1,
            amount_received_minor=1,
            currency="EUR",
            client_secret="",
            decline_code=None,
            user_id=None,
            payment_id=None,
        )

    @property
    def intents(self) -> list[Intent]:
        """Every PaymentIntent, in the order of their making."""
        return list(self._intents.values())

    @property
    def all_refunds(self) -> list[CardRefund]:
        """Every refund, in the order of their making."""
        return list(self._refunds.values())

    @property
    def all_disputes(self) -> list[CardDispute]:
        """Every dispute, in the order of their making."""
        return list(self._disputes.values())

    def store_500(self, key: str, now: datetime) -> None:
        """Stripe's first answer for this idempotency key was a 500; it says the same for a day."""
        self._stored_500_until.setdefault(key, now + STORED_FOR)

    def says_500(self, key: str, now: datetime) -> bool:
        """Whether the stored answer is a 500."""
        until = self._stored_500_until.get(key)
        return until is not None and now < until

    def check_stored(self, key: str, now: datetime) -> None:
        """Raises CardError where the stored answer is a 500."""
        if self.says_500(key, now):
            raise CardError(f"the {STORED_500}")
