"""Refund no more than was captured, and say that it was refunded.

Gap: plain localstripe refunds more than the charge and emits no event for a refund.
Closed by: comparing with what is left of the charge, whose rest is also the default amount; emitting refund.created,
refund.updated and charge.refunded.
No longer needed when: plain localstripe refuses a refund above the charge.
"""

from http import HTTPStatus
from typing import Any

from localstripe import resources

from local.stripe.errors import refusal
from local.stripe.events import emit


def apply() -> None:
    kind = resources.Refund
    create = kind._api_create

    def create_within_charge(_kind: Any, /, **parameters: Any) -> Any:
        charge = _charge(parameters)
        if charge is not None:
            left = charge.amount - charge.amount_refunded
            wanted = resources.try_convert_to_int(parameters.get("amount", left))
            if left == 0:
                raise refusal(
                    HTTPStatus.BAD_REQUEST, "Charge has already been refunded.", code="charge_already_refunded"
                )
            if isinstance(wanted, int) and wanted > left:
                raise refusal(
                    HTTPStatus.BAD_REQUEST,
                    f"Refund amount ({wanted}) is greater than unrefunded amount on charge ({left}).",
                    code="amount_too_large",
                    param="amount",
                )
            parameters["amount"] = wanted
        refund = create(**parameters)
        for event_type in ("refund.created", "refund.updated"):
            emit(event_type, refund)
        emit("charge.refunded", resources.Charge._api_retrieve(refund.charge))
        return refund

    kind._api_create = classmethod(create_within_charge)


def _charge(parameters: dict[str, Any]) -> Any:
    """The charge to give back from; None where localstripe's own validation has to answer."""
    if "payment_intent" in parameters:
        return resources.PaymentIntent._api_retrieve(parameters["payment_intent"]).latest_charge
    if "charge" in parameters:
        return resources.Charge._api_retrieve(parameters["charge"])
    return None
