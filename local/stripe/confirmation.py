"""Confirm a PaymentIntent: by the mobile SDK with the card, or a payment method, in the same call, or by the backend.

Gap: plain localstripe answers 500 to `payment_method` and 400 to everything else that an SDK sends, confirms by the
backend as if the driver were there, and an intent whose card was declined cannot be tried again with another one.
Closed by: a confirm of our own, for creations with `confirm` too, around the charge of charging.py.
No longer needed when: plain localstripe confirms with `payment_method=pm_card_visa`.
"""

from http import HTTPStatus
from typing import Any

from localstripe import resources

from local.stripe import charging, routes
from local.stripe.errors import refusal
from local.stripe.payment_intents import unexpected_state
from local.stripe.payment_methods import check_usable

# What the SDKs send beside the payment method; it changes nothing that an emulator shows.
WITHOUT_EFFECT = {
    "client_secret",  # compared by publishable_key.py before a confirmation comes here
    "error_on_requires_action",
    "expected_payment_method_type",
    "mandate_data",
    "return_url",
    "use_stripe_sdk",
}
STORED = {"receipt_email", "setup_future_usage", "shipping"}
ONLY_WITH_CONFIRM = {"error_on_requires_action", "mandate_data", "off_session", "return_url", "use_stripe_sdk"}
CONFIRMABLE = {"requires_payment_method", "requires_confirmation", "requires_action"}


def apply() -> None:
    kind = resources.PaymentIntent
    make = kind._api_create

    def create(_kind: Any, /, confirm: str | None = None, **parameters: Any) -> Any:
        confirmed = bool(resources.try_convert_to_bool(confirm))
        for_confirmation = {name: parameters.pop(name) for name in ONLY_WITH_CONFIRM & parameters.keys()}
        if for_confirmation and not confirmed:
            raise refusal(
                HTTPStatus.BAD_REQUEST,
                f"Only with confirm=true: {', '.join(sorted(for_confirmation))}",
                param="confirm",
            )
        method = method_of(parameters.get("payment_method"), None, parameters.get("customer"))
        if method is not None:
            parameters["payment_method"] = method.id
        intent = make(**parameters)
        return confirm_intent(intent.id, **for_confirmation) if confirmed else intent

    kind._api_create = classmethod(create)
    routes.replace("POST", "/v1/payment_intents/{id}/confirm", confirm_intent)


def confirm_intent(
    id: str,
    payment_method: str | None = None,
    payment_method_data: dict[str, Any] | None = None,
    off_session: str | None = None,
    **parameters: Any,
) -> Any:
    check_known(parameters, WITHOUT_EFFECT | STORED)
    intent = resources.PaymentIntent._api_retrieve(id)
    if intent.status not in CONFIRMABLE:
        raise unexpected_state(
            intent, f"You cannot confirm this PaymentIntent because it has a status of {intent.status}."
        )
    method = method_of(payment_method, payment_method_data, intent.customer)
    if method is not None:
        intent.payment_method = method.id
        intent.latest_charge = None
        intent.next_action = None
    if intent.status == "requires_payment_method":
        raise unexpected_state(intent, "You cannot confirm this PaymentIntent because it's missing a payment method.")
    method_of(intent.payment_method, None, intent.customer)  # it may have been detached since it was named
    for name in STORED & parameters.keys():
        setattr(intent, name, parameters[name])
    if intent.status == "requires_confirmation":
        # `one_off` and `recurring` mean an absent driver too.
        charging.attempt(intent, off_session=resources.try_convert_to_bool(off_session) not in {None, False})
    return intent


def check_known(parameters: dict[str, Any], known: set[str]) -> None:
    """Refuse parameters that Stripe does not document, so that a misspelt one is seen here and not there."""
    unknown = parameters.keys() - known
    if unknown:
        raise refusal(HTTPStatus.BAD_REQUEST, f"Received unknown parameters: {', '.join(sorted(unknown))}")


def method_of(payment_method: str | None, payment_method_data: dict[str, Any] | None, customer_id: str | None) -> Any:
    """The payment method that a request names or brings, if the customer may use it; None: it has neither."""
    if payment_method_data is not None:
        return resources.PaymentMethod(**payment_method_data)
    if payment_method is None:
        return None
    method = resources.PaymentMethod._api_retrieve(payment_method)
    check_usable(method, customer_id)
    return method
