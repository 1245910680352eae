"""Disputes: the bank takes a payment back because its customer says so.

Gap: plain localstripe has none.
Closed by: a payment with 4000000000000259 is disputed as soon as it succeeds: a dispute that needs_response, and the
events charge.dispute.created and .funds_withdrawn. POST /v1/disputes/{id}/_close `won` true or false ends it, with
charge.dispute.closed and, where it was won, .funds_reinstated. A disputed charge cannot be refunded, unless we won.
No longer needed when: plain localstripe serves GET /v1/disputes.
"""

from functools import partial
from http import HTTPStatus
from typing import Any

from localstripe import resources

from local.stripe import cards, lists, routes
from local.stripe.errors import refusal
from local.stripe.events import emit

# By type() because localstripe's classes are untyped, and mypy lets no class statement inherit from what it cannot see.
Dispute: Any = type("Dispute", (resources.StripeObject,), {"object": "dispute", "_id_prefix": "dp_"})


def apply() -> None:
    resources.Charge.dispute = None
    resources.Charge.disputed = property(_is_disputed)
    paid = resources.PaymentIntent._on_success

    def on_success(self: Any) -> None:
        paid(self)
        method = resources.PaymentMethod._api_retrieve(self.latest_charge.payment_method)
        if cards.number_of(method) == cards.DISPUTED:
            _open(self)

    resources.PaymentIntent._on_success = on_success
    lists.newest_first(Dispute, filters=("charge", "payment_intent"))
    routes.add("GET", "/v1/disputes", partial(Dispute._api_list_all, "/v1/disputes"))
    routes.add("GET", "/v1/disputes/{id}", Dispute._api_retrieve)
    routes.add("POST", "/v1/disputes/{id}/_close", close)


def close(id: str, won: str) -> Any:
    dispute = Dispute._api_retrieve(id)
    if dispute.status != "needs_response":
        raise refusal(HTTPStatus.BAD_REQUEST, f"This dispute is already {dispute.status}.")
    if resources.try_convert_to_bool(won):
        dispute.status = "won"
        emit("charge.dispute.funds_reinstated", dispute)
    else:
        dispute.status = "lost"
    emit("charge.dispute.closed", dispute)
    return dispute


def _open(intent: Any) -> None:
    dispute = Dispute()
    dispute.amount = intent.amount
    dispute.currency = intent.currency
    dispute.charge = intent.latest_charge.id
    dispute.payment_intent = intent.id
    dispute.reason = "fraudulent"
    dispute.status = "needs_response"
    dispute.metadata = {}
    intent.latest_charge.dispute = dispute.id
    emit("charge.dispute.created", dispute)
    emit("charge.dispute.funds_withdrawn", dispute)


def _is_disputed(charge: Any) -> bool:
    return charge.dispute is not None and Dispute._api_retrieve(charge.dispute).status != "won"
