"""What a PaymentIntent tells, and how it is cancelled.

Gap: plain localstripe has no amount_received, puts the whole charge where its id belongs (latest_charge), says nothing
when an intent is cancelled, and refuses to cancel one without saying why.
Closed by: adding the fields, a refusal with its code, and emitting payment_intent.canceled.
No longer needed when: plain localstripe delivers payment_intent.canceled.
"""

import time
from http import HTTPStatus
from typing import Any

from localstripe import resources

from local.stripe import routes
from local.stripe.errors import refusal
from local.stripe.events import emit

# Stripe cancels one that is processing "in rare cases": here, as mostly there, it is too late.
CANCELLABLE = {"requires_payment_method", "requires_confirmation", "requires_action", "requires_capture"}


def apply() -> None:
    kind = resources.PaymentIntent
    export = kind._export

    def amount_received(self: Any) -> int:
        return int(self.amount) if self.status == "succeeded" else 0

    def charge_by_id(self: Any, expand: list[str] | None = None) -> dict[str, Any]:
        exported: dict[str, Any] = export(self, expand=expand)
        if self.latest_charge and not any(path.split(".")[0] == "latest_charge" for path in expand or []):
            exported["latest_charge"] = self.latest_charge.id
        return exported

    kind.amount_received = property(amount_received)
    kind.cancellation_reason = None
    kind.canceled_at = None
    kind._export = charge_by_id
    del kind.charges  # no longer in Stripe's API, and every object of the store is read to make it
    routes.replace("POST", "/v1/payment_intents/{id}/cancel", cancel)


def cancel(id: str, cancellation_reason: str | None = None, **parameters: Any) -> Any:
    intent = resources.PaymentIntent._api_retrieve(id)
    if intent.status not in CANCELLABLE:
        raise unexpected_state(
            intent, f"You cannot cancel this PaymentIntent because it has a status of {intent.status}."
        )
    resources.PaymentIntent._api_cancel(id, **parameters)
    intent.cancellation_reason = cancellation_reason
    intent.canceled_at = int(time.time())
    emit("payment_intent.canceled", intent)
    return intent


def unexpected_state(intent: Any, message: str) -> Exception:
    """The refusal of what an intent's state does not allow; like Stripe's, it shows the intent."""
    return refusal(
        HTTPStatus.BAD_REQUEST, message, code="payment_intent_unexpected_state", payment_intent=intent._export()
    )
