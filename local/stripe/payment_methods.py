"""A saved card belongs to its customer, until it is detached; then nobody can use it again.

Gap: plain localstripe detaches what is attached to nobody, attaches a detached card again, charges any customer's card
for any other, and emits no event for either.
Closed by: refusing, as Stripe does, and emitting payment_method.attached and .detached.
No longer needed when: plain localstripe refuses the second detachment of a card.
"""

from http import HTTPStatus
from typing import Any

from localstripe import resources

from local.stripe import routes
from local.stripe.errors import refusal
from local.stripe.events import emit


def apply() -> None:
    resources.PaymentMethod._detached = False
    routes.replace("POST", "/v1/payment_methods/{id}/attach", attach)
    routes.replace("POST", "/v1/payment_methods/{id}/detach", detach)


def attach(id: str, customer: str | None = None, **parameters: Any) -> Any:
    found = resources.PaymentMethod._api_retrieve(id)
    check_usable(found, customer)
    method = resources.PaymentMethod._api_attach(found.id, customer=customer, **parameters)
    emit("payment_method.attached", method)
    return method


def detach(id: str, **parameters: Any) -> Any:
    if resources.PaymentMethod._api_retrieve(id).customer is None:
        raise refusal(
            HTTPStatus.BAD_REQUEST,
            "The payment method you provided is not attached to a customer so detachment is impossible.",
        )
    method = resources.PaymentMethod._api_detach(id, **parameters)
    method._detached = True
    emit("payment_method.detached", method)
    return method


def check_usable(method: Any, customer_id: str | None) -> None:
    """Refuse a payment method that was detached, or is saved by another customer than this one."""
    if method._detached:
        raise refusal(
            HTTPStatus.BAD_REQUEST,
            "The provided PaymentMethod was detached from a Customer. It may not be used again.",
            param="payment_method",
        )
    if method.customer not in {None, customer_id}:
        raise refusal(
            HTTPStatus.BAD_REQUEST,
            f"The payment method {method.id} belongs to a Customer other than the one of this request.",
            param="payment_method",
        )
