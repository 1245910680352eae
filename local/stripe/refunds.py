"""Refund no more than was captured, later or never where the card is such, and say so.

Gap: plain localstripe refunds more than the charge, refunds at once always, crashes where nothing was charged, and
emits no event for a refund.
Closed by: comparing with what is left of the charge, whose rest is also the default amount; a failed refund gives its
amount back to the charge. Of 4000000000007726 a refund is pending until POST /v1/refunds/{id}/_settle makes it succeed;
of 4000000000005126 it has succeeded until the same call makes it fail. Each step emits its events.
No longer needed when: plain localstripe refuses a refund above the charge.
"""

from http import HTTPStatus
from typing import Any

from localstripe import resources

from local.stripe import cards, routes
from local.stripe.errors import refusal
from local.stripe.events import emit

RETURNED = {"failed", "canceled"}


def apply() -> None:
    _count_within_charge(resources.Refund, resources.Charge)
    make = resources.Refund._api_create

    def create(_kind: Any, /, **parameters: Any) -> Any:
        charge = _charge(parameters)
        if charge is None:
            return make(**parameters)  # which says what is missing
        parameters["amount"] = _amount_within(charge, parameters.get("amount"))
        refund = make(**parameters)
        if cards.number_of(resources.PaymentMethod._api_retrieve(charge.payment_method)) == cards.REFUND_PENDING:
            refund.status = "pending"
        emit("refund.created", refund)
        if refund.status == "succeeded":
            emit("refund.updated", refund)
        emit("charge.refunded", charge)
        return refund

    resources.Refund.failure_reason = None
    resources.Refund._api_create = classmethod(create)
    routes.add("POST", "/v1/refunds/{id}/_settle", settle)


def settle(id: str) -> Any:
    refund = resources.Refund._api_retrieve(id)
    charge = resources.Charge._api_retrieve(refund.charge)
    number = cards.number_of(resources.PaymentMethod._api_retrieve(charge.payment_method))
    if (number, refund.status) == (cards.REFUND_PENDING, "pending"):
        refund.status = "succeeded"
    elif (number, refund.status) == (cards.REFUND_FAILS, "succeeded"):
        refund.status = "failed"
        refund.failure_reason = "expired_or_canceled_card"
        emit("refund.failed", refund)
    else:
        raise refusal(HTTPStatus.BAD_REQUEST, f"A refund that has {refund.status} to this card stays so.")
    emit("refund.updated", refund)
    return refund


def _count_within_charge(kind: Any, charge_kind: Any) -> None:
    """Let a charge know its refunds: looking for them in the store costs more with each object that exists."""
    make = kind.__init__

    def __init__(self: Any, **parameters: Any) -> None:  # noqa: N807 (it becomes the class's own)
        make(self, **parameters)
        charge = charge_kind._api_retrieve(self.charge)
        charge._refunds = (self, *charge._refunds)
        self.payment_intent = charge.payment_intent

    def refunds(self: Any) -> Any:
        found = resources.List(f"/v1/charges/{self.id}/refunds")
        found._list = list(self._refunds)
        return found

    def amount_refunded(self: Any) -> int:
        return sum(refund.amount for refund in self._refunds if refund.status not in RETURNED)

    kind.__init__ = __init__
    charge_kind._refunds = ()
    charge_kind.refunds = property(refunds)
    charge_kind.amount_refunded = property(amount_refunded)


def _charge(parameters: dict[str, Any]) -> Any:
    """The charge to give back from; None where localstripe's own validation has to answer."""
    if "payment_intent" in parameters:
        intent = resources.PaymentIntent._api_retrieve(parameters["payment_intent"])
        if intent.status != "succeeded":
            raise refusal(
                HTTPStatus.BAD_REQUEST,
                f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        return intent.latest_charge
    if "charge" in parameters:
        return resources.Charge._api_retrieve(parameters["charge"])
    return None


def _amount_within(charge: Any, wanted: Any) -> Any:
    """The amount to refund; what is no number is left to localstripe's own validation."""
    if charge.disputed:
        raise refusal(
            HTTPStatus.BAD_REQUEST,
            f"Charge {charge.id} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    left = charge.amount - charge.amount_refunded
    if left == 0:
        raise refusal(
            HTTPStatus.BAD_REQUEST, f"Charge {charge.id} has already been refunded.", code="charge_already_refunded"
        )
    amount = resources.try_convert_to_int(left if wanted is None else wanted)
    if isinstance(amount, int) and amount > left:
        raise refusal(
            HTTPStatus.BAD_REQUEST,
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).",
            code="amount_too_large",
            param="amount",
        )
    return amount
