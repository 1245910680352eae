"""A SetupIntent, confirmed by the mobile SDK, saves its payment method and says how that went.

Gap: plain localstripe leaves the payment method unattached, cancels the intent of a declined card, cannot end a 3-D
Secure check, and emits no event at all.
Closed by: a confirm of our own. A card that asks for 3-D Secure leaves the intent in requires_action until
POST /v1/setup_intents/{id}/_authenticate with `success` true or false. Success attaches the card to the customer and
exempts it from further checks where its bank agrees (cards.py).
No longer needed when: plain localstripe delivers setup_intent.succeeded.
"""

from http import HTTPStatus
from typing import Any

from localstripe import resources

from local.stripe import cards, payment_methods, routes
from local.stripe.charging import THREE_D_SECURE
from local.stripe.confirmation import CONFIRMABLE, WITHOUT_EFFECT, check_known, method_of
from local.stripe.errors import refusal
from local.stripe.events import emit


def apply() -> None:
    kind = resources.SetupIntent
    make = kind._api_create

    def create(_kind: Any, /, **parameters: Any) -> Any:
        if "customer" in parameters:
            resources.Customer._api_retrieve(parameters["customer"])  # localstripe looks for it nowhere
        return make(**parameters)

    kind.last_setup_error = None
    kind.cancellation_reason = None
    kind._api_create = classmethod(create)
    routes.replace("POST", "/v1/setup_intents/{id}/confirm", confirm)
    routes.replace("POST", "/v1/setup_intents/{id}/cancel", cancel)
    routes.add("POST", "/v1/setup_intents/{id}/_authenticate", authenticate)


def confirm(
    id: str,
    payment_method: str | None = None,
    payment_method_data: dict[str, Any] | None = None,
    **parameters: Any,
) -> Any:
    check_known(parameters, WITHOUT_EFFECT)
    intent = _in_state(id, CONFIRMABLE)
    method = method_of(payment_method, payment_method_data, intent.customer)
    if method is None:
        raise refusal(HTTPStatus.BAD_REQUEST, "You cannot confirm this SetupIntent: it's missing a payment method.")
    intent.payment_method = method.id
    intent.last_setup_error = None
    decline = cards.decline_of_attaching(method)
    if decline is not None:
        error = {"type": "card_error", "code": decline.code, "decline_code": decline.decline_code}
        _fail(intent, method, error | {"message": decline.message})
        raise refusal(HTTPStatus.PAYMENT_REQUIRED, **intent.last_setup_error, setup_intent=intent._export())
    if method._requires_authentication():
        intent.status = "requires_action"
        intent.next_action = THREE_D_SECURE
        emit("setup_intent.requires_action", intent)
    else:
        _succeed(intent, method)
    return intent


def authenticate(id: str, success: str, client_secret: str | None = None) -> Any:  # noqa: ARG001 (compared by publishable_key.py)
    intent = _in_state(id, {"requires_action"})
    method = resources.PaymentMethod._api_retrieve(intent.payment_method)
    if resources.try_convert_to_bool(success):
        _succeed(intent, method)
    else:
        error = {"type": "invalid_request_error", "code": "setup_intent_authentication_failure"}
        _fail(intent, method, error | {"message": "The provided PaymentMethod has failed authentication."})
    return intent


def cancel(id: str, cancellation_reason: str | None = None, **parameters: Any) -> Any:
    check_known(parameters, WITHOUT_EFFECT)
    intent = _in_state(id, CONFIRMABLE)
    intent.status = "canceled"
    intent.next_action = None
    intent.cancellation_reason = cancellation_reason
    emit("setup_intent.canceled", intent)
    return intent


def _in_state(intent_id: str, statuses: set[str]) -> Any:
    intent = resources.SetupIntent._api_retrieve(intent_id)
    if intent.status not in statuses:
        raise refusal(
            HTTPStatus.BAD_REQUEST,
            f"This SetupIntent has a status of {intent.status}, which does not allow it.",
            code="setup_intent_unexpected_state",
            setup_intent=intent._export(),
        )
    return intent


def _succeed(intent: Any, method: Any) -> None:
    intent.status = "succeeded"
    intent.next_action = None
    method._set_up_off_session = intent.usage == "off_session"
    if intent.customer is not None and method.customer is None:
        payment_methods.attach(method.id, customer=intent.customer)
    emit("setup_intent.succeeded", intent)


def _fail(intent: Any, method: Any, error: dict[str, Any]) -> None:
    intent.status = "requires_payment_method"
    intent.next_action = None
    intent.payment_method = None
    intent.last_setup_error = error | {"payment_method": method._export()}
    emit("setup_intent.setup_failed", intent)
