"""A confirmed SetupIntent saves its payment method and says so.

Gap: plain localstripe leaves the payment method unattached and emits no event at all for a SetupIntent.
Closed by: attaching it to the intent's customer, and emitting setup_intent.succeeded, .requires_action and .canceled.
No longer needed when: plain localstripe delivers setup_intent.succeeded.
"""

from typing import Any

from localstripe import resources

from local.stripe import routes
from local.stripe.events import emit


def apply() -> None:
    confirm, cancel = resources.SetupIntent._api_confirm, resources.SetupIntent._api_cancel

    def confirm_and_tell(return_url: str | None = None, **parameters: Any) -> Any:  # noqa: ARG001 (accepted; nobody redirects here)
        intent = confirm(**parameters)
        if intent.status == "succeeded" and intent.customer is not None:
            resources.PaymentMethod._api_attach(intent.payment_method, customer=intent.customer)
        emit(f"setup_intent.{intent.status}", intent)
        return intent

    def cancel_and_tell(**parameters: Any) -> Any:
        intent = cancel(**parameters)
        emit("setup_intent.canceled", intent)
        return intent

    routes.replace("POST", "/v1/setup_intents/{id}/confirm", confirm_and_tell)
    routes.replace("POST", "/v1/setup_intents/{id}/cancel", cancel_and_tell)
