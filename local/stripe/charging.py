"""What a confirmed PaymentIntent's card does: pay, be declined, ask for 3-D Secure, or keep everybody waiting.

Gap: plain localstripe knows no decline_code, forgets the error (last_payment_error) and the intent in the answer to a
decline, charges a card off-session whose bank wants the driver, and is never `processing` for a card.
Closed by: a charge of our own, with the events of each outcome. Two calls stand for what the world does:
POST /v1/payment_intents/{id}/_authenticate `success`: the driver passes or fails 3-D Secure (left alone, the payment is
abandoned); POST /v1/payment_intents/{id}/_settle `success`: the bank decides about a payment that is `processing`
(pm_card_processing).
No longer needed when: a decline by plain localstripe carries `decline_code` and `payment_intent`.
"""

from http import HTTPStatus
from typing import Any

from localstripe import resources

from local.stripe import cards, routes
from local.stripe.errors import refusal
from local.stripe.events import emit
from local.stripe.payment_intents import unexpected_state

THREE_D_SECURE = {
    "type": "use_stripe_sdk",
    "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": ""},
}


def apply() -> None:
    kind = resources.PaymentIntent
    kind._last_error = None
    kind.last_payment_error = property(lambda intent: intent._last_error)
    routes.replace("POST", "/v1/payment_intents/{id}/_authenticate", authenticate)
    routes.add("POST", "/v1/payment_intents/{id}/_settle", settle)


def attempt(intent: Any, *, off_session: bool) -> None:
    """Charge the intent's card as far as it lets us. Raises the decline that Stripe answers to a confirmation."""
    method = resources.PaymentMethod._api_retrieve(intent.payment_method)
    intent._last_error = None
    if off_session and cards.authenticates_off_session(method):
        _fail(intent, _charge(intent), cards.AUTHENTICATION_REQUIRED)
    elif not off_session and method._requires_authentication():
        intent.next_action = THREE_D_SECURE
        emit("payment_intent.requires_action", intent)
    else:
        _pay(intent, method)
    if intent.last_payment_error is not None:
        raise refusal(HTTPStatus.PAYMENT_REQUIRED, **intent.last_payment_error, payment_intent=intent._export())


def authenticate(id: str, success: str, client_secret: str | None = None) -> Any:  # noqa: ARG001 (compared by publishable_key.py)
    intent = _in_state(id, "requires_action")
    intent.next_action = None
    method = resources.PaymentMethod._api_retrieve(intent.payment_method)
    if resources.try_convert_to_bool(success):
        _pay(intent, method)
    else:
        _set_error(
            intent,
            {
                "type": "invalid_request_error",
                "code": "payment_intent_authentication_failure",
                "message": "The provided PaymentMethod has failed authentication.",
            },
        )
    return intent


def settle(id: str, success: str) -> Any:
    intent = _in_state(id, "processing")
    if resources.try_convert_to_bool(success):
        intent.latest_charge._initialize_charge(intent._on_success)
    else:
        _fail(intent, intent.latest_charge, cards.GENERIC_DECLINE)
    return intent


def _in_state(intent_id: str, status: str) -> Any:
    intent = resources.PaymentIntent._api_retrieve(intent_id)
    if intent.status != status:
        raise unexpected_state(intent, f"This PaymentIntent has a status of {intent.status}, not {status}.")
    return intent


def _pay(intent: Any, method: Any) -> None:
    charge = _charge(intent)
    decline = cards.decline_of_charge(method)
    if decline is not None:
        _fail(intent, charge, decline)
    elif cards.number_of(method) == cards.PROCESSING:
        emit("payment_intent.processing", intent)  # the charge stays pending, as it was made
    else:
        charge._initialize_charge(intent._on_success, on_failure_later=intent._report_async_failure)


def _charge(intent: Any) -> Any:
    charge = resources.Charge(
        amount=intent.amount,
        currency=intent.currency,
        customer=intent.customer,
        source=intent.payment_method,
        capture=intent.capture_method != "manual",
    )
    charge.payment_intent = intent.id
    intent.latest_charge = charge
    return charge


def _fail(intent: Any, charge: Any, decline: cards.Decline) -> None:
    charge.status = "failed"
    charge.failure_code = decline.code
    charge.failure_message = decline.message
    error = {"type": "card_error", "code": decline.code, "decline_code": decline.decline_code}
    _set_error(intent, error | {"message": decline.message, "charge": charge.id})


def _set_error(intent: Any, error: dict[str, Any]) -> None:
    method = resources.PaymentMethod._api_retrieve(intent.payment_method)
    intent._last_error = error | {"payment_method": method._export()}
    intent.payment_method = None
    emit("payment_intent.payment_failed", intent)
