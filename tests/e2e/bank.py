"""The other side of the money: what Stripe has in its books, what banks decide, and what Stripe fails to tell us."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from local.drivers import intent_id_of
from local.stack import Stack
from local.startup import STRIPE_SECRET
from tests.e2e.world import Json, eventually, expect

PAGE = 100
NO_KIND_OF_EVENT = "nothing.happened"


@dataclass(frozen=True)
class Bank:
    """Stripe's account of the stack, seen with its own key."""

    stack: Stack

    def intent(self, client_secret: str) -> Json:
        """The PaymentIntent with this secret."""
        return self._get(f"/v1/payment_intents/{intent_id_of(client_secret)}")

    def intents_of(self, payment_id: str) -> list[Json]:
        """Every PaymentIntent that was made for a payment: one, if nothing is charged twice."""
        found = self._list("/v1/payment_intents")
        return [one for one in found if one["metadata"].get("payment_id") == payment_id]

    def refunds_of(self, payment_id: str) -> list[Json]:
        """Every refund of a payment's money, the newest first."""
        return [
            refund
            for intent in self.intents_of(payment_id)
            for refund in self._list("/v1/refunds", payment_intent=intent["id"])
        ]

    def await_refund(self, payment_id: str) -> Json:
        """The payment's one refund, as soon as Stripe was asked for it."""
        refund, *others = eventually(lambda: self.refunds_of(payment_id), f"a refund of {payment_id}")
        assert others == []
        return refund

    def disputes_of(self, payment_id: str) -> list[Json]:
        """Every dispute about a payment."""
        return [
            dispute
            for intent in self.intents_of(payment_id)
            for dispute in self._list("/v1/disputes", payment_intent=intent["id"])
        ]

    def decide_processing(self, payment_id: str, *, success: bool) -> None:
        """The driver's bank says at last whether it pays."""
        (intent,) = self.intents_of(payment_id)
        self.post(f"/v1/payment_intents/{intent['id']}/_settle", success=str(success).lower())

    def settle_refund(self, refund: Json) -> None:
        """The driver's bank takes a pending refund, or sends a finished one back, as its card is."""
        self.post(f"/v1/refunds/{refund['id']}/_settle")

    def close_dispute(self, dispute: Json, *, won: bool) -> None:
        """The driver's bank decides whose the money is."""
        self.post(f"/v1/disputes/{dispute['id']}/_close", won=str(won).lower())

    def charge_by_hand(self, amount_minor: int) -> Json:
        """A charge that somebody makes in Stripe's dashboard: it names no payment of ours."""
        form = {"amount": str(amount_minor), "currency": "eur", "payment_method": "pm_card_visa", "confirm": "true"}
        return self.post("/v1/payment_intents", **form)

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Every event of the block is lost on its way to us."""
        self._tell([NO_KIND_OF_EVENT])
        try:
            yield
        finally:
            self._tell(None)

    @contextmanager
    def failing(self, method: str, path: str, *, what: str = "before", times: int = 1) -> Iterator[None]:
        """Stripe answers 500 to the next requests: `before` it acted, `after`, or the answer is `lost`."""
        fault = {"method": method, "path_pattern": path, "times": times, "what": what}
        httpx.post(self._url("/_config/faults"), json=fault).raise_for_status()
        try:
            yield
        finally:
            httpx.delete(self._url("/_config/faults")).raise_for_status()

    def post(self, path: str, **form: str) -> Json:
        """What Stripe's dashboard, or the world behind Stripe, does."""
        return expect(200, httpx.post(self._url(path), data=form, headers=self._headers, timeout=30))

    def _get(self, path: str) -> Json:
        return expect(200, httpx.get(self._url(path), headers=self._headers, timeout=30))

    def _list(self, path: str, **filters: str) -> list[Json]:
        items: list[Json] = []
        cursor: dict[str, str] = {}
        while True:
            answer = httpx.get(
                self._url(path), params={"limit": str(PAGE), **filters, **cursor}, headers=self._headers, timeout=30
            )
            page = expect(200, answer)
            items += page["data"]
            if not page["has_more"]:
                return items
            cursor = {"starting_after": items[-1]["id"]}

    def _tell(self, events: list[str] | None) -> None:
        webhook = {"url": f"{self.stack.api_url}/stripe/webhook", "secret": STRIPE_SECRET["webhook_secret"]}
        httpx.post(
            self._url("/_config/webhooks/backend"), json=webhook | ({"events": events} if events else {})
        ).raise_for_status()

    def _url(self, path: str) -> str:
        return f"{self.stack.stripe_api_base}{path}"

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {STRIPE_SECRET['api_key']}"}
