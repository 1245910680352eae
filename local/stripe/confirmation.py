"""Confirm a PaymentIntent as Stripe's mobile SDK does: with the card, or a payment method, in the same call.

Gap: plain localstripe answers 500 to `payment_method` and 400 to everything else that an SDK sends, and an intent whose
card was declined cannot be tried again with another one.
Closed by: a confirm of our own around localstripe's charge. A card that asks for 3-D Secure leaves the intent in
requires_action until POST /v1/payment_intents/{id}/_authenticate with `success` true or false; left alone, the payment
is abandoned.
No longer needed when: plain localstripe confirms with `payment_method=pm_card_visa`.
"""

from http import HTTPStatus
from typing import Any

from localstripe import resources

from local.stripe import routes
from local.stripe.errors import refusal

# What the SDKs send beside the payment method; it changes nothing that an emulator shows.
WITHOUT_EFFECT = {
    "client_secret",  # compared by publishable_key.py before a confirmation comes here
    "error_on_requires_action",
    "expected_payment_method_type",
    "mandate_data",
    "off_session",
    "return_url",
    "use_stripe_sdk",
}
STORED = {"receipt_email", "setup_future_usage", "shipping"}
CONFIRMABLE = {"requires_payment_method", "requires_confirmation", "requires_action"}


def apply() -> None:
    routes.replace("POST", "/v1/payment_intents/{id}/confirm", confirm)


def confirm(
    id: str,
    payment_method: str | None = None,
    payment_method_data: dict[str, Any] | None = None,
    **parameters: Any,
) -> Any:
    unknown = parameters.keys() - WITHOUT_EFFECT - STORED
    if unknown:
        raise refusal(HTTPStatus.BAD_REQUEST, f"Received unknown parameters: {', '.join(sorted(unknown))}")
    intent = resources.PaymentIntent._api_retrieve(id)
    if intent.status not in CONFIRMABLE:
        raise refusal(
            HTTPStatus.BAD_REQUEST,
            f"You cannot confirm this PaymentIntent because it has a status of {intent.status}.",
            code="payment_intent_unexpected_state",
        )
    method = _method(payment_method, payment_method_data)
    if method is not None:
        intent.payment_method = method.id
        intent.latest_charge = None
        intent.next_action = None
    if intent.status == "requires_payment_method":
        raise refusal(
            HTTPStatus.BAD_REQUEST,
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    for name in STORED & parameters.keys():
        setattr(intent, name, parameters[name])
    if intent.status == "requires_confirmation":
        intent._confirm(on_failure_now=intent._report_failure)
    return intent


def _method(payment_method: str | None, payment_method_data: dict[str, Any] | None) -> Any:
    if payment_method_data is not None:
        return resources.PaymentMethod(**payment_method_data)
    if payment_method is not None:
        return resources.PaymentMethod._api_retrieve(payment_method)
    return None
