"""What a PaymentIntent tells: its fields, and the events of its life.

Gap: plain localstripe has no amount_received, puts the whole charge where its id belongs (latest_charge), and emits
nothing when an intent is cancelled, waits for 3-D Secure, or fails it.
Closed by: adding the fields and emitting payment_intent.canceled, .requires_action and .payment_failed.
No longer needed when: plain localstripe delivers payment_intent.canceled.
"""

from typing import Any

from localstripe import resources

from local.stripe import routes
from local.stripe.events import emit


def apply() -> None:
    _add_fields(resources.PaymentIntent)
    _add_events(resources.PaymentIntent)


def _add_fields(kind: Any) -> None:
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
    kind._export = charge_by_id


def _add_events(kind: Any) -> None:
    confirm, cancel, finish_3d_secure = kind._confirm, kind._api_cancel, kind._api_authenticate

    def confirm_and_tell(self: Any, on_failure_now: Any) -> None:
        confirm(self, on_failure_now)
        if self.status == "requires_action":
            emit("payment_intent.requires_action", self)

    def cancel_and_tell(id: str, cancellation_reason: str | None = None, **parameters: Any) -> Any:
        intent = cancel(id, **parameters)
        intent.cancellation_reason = cancellation_reason
        emit("payment_intent.canceled", intent)
        return intent

    def finish_3d_secure_and_tell(id: str, **parameters: Any) -> Any:
        intent = finish_3d_secure(id, **parameters)
        if intent._authentication_failed:
            emit("payment_intent.payment_failed", intent)
        return intent

    kind._confirm = confirm_and_tell
    routes.replace("POST", "/v1/payment_intents/{id}/cancel", cancel_and_tell)
    routes.replace("POST", "/v1/payment_intents/{id}/_authenticate", finish_3d_secure_and_tell)
