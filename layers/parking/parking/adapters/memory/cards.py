"""Stripe in memory."""

import threading
from dataclasses import replace

from parking.domain.payment import Payment
from parking.services.ports import CardError, Intent


class MemoryCards:
    """CardGateway, with the driver's side of it: `pay` is what happens on the phone."""

    def __init__(self) -> None:
        self._intents: dict[str, Intent] = {}
        self._lock = threading.Lock()

    def create_intent(self, payment: Payment, description: str) -> Intent:  # noqa: ARG002 - nothing reads the text back
        """A PaymentIntent for the payment; the same payment always gets the same one."""
        intent_id = f"pi_{payment.payment_id}"
        intent = Intent(
            intent_id=intent_id,
            status="requires_payment_method",
            amount_minor=payment.amount_minor,
            amount_received_minor=0,
            currency=payment.currency,
            client_secret=f"{intent_id}_secret",
            user_id=payment.user_id,
            payment_id=payment.payment_id,
        )
        with self._lock:
            return self._intents.setdefault(intent_id, intent)

    def intent(self, intent_id: str) -> Intent:
        """The PaymentIntent as it is now. Raises CardError if there is none."""
        with self._lock:
            if intent_id not in self._intents:
                raise CardError("no such PaymentIntent")
            return self._intents[intent_id]

    def pay(self, intent_id: str) -> None:
        """The driver confirms with a good card."""
        intent = self.intent(intent_id)
        with self._lock:
            paid = replace(intent, status="succeeded", amount_received_minor=intent.amount_minor)
            self._intents[intent_id] = paid
