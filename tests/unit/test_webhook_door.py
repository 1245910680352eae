"""POST /stripe/webhook, the function itself: the signature is over the raw bytes, and 2xx is said after the commit."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from parking import wiring
from parking.adapters.stripe_cards import StripeWebhookVerifier
from parking.domain.payment import PaymentStatus
from parking.metrics import metrics
from parking.services import bookings
from parking.services.payment_methods import start_setup
from parking.services.ports import StoreUnavailable
from payments import stripe_webhook
from tests.lambda_context import CONTEXT
from tests.unit.till import Till, intent_of
from tests.unit.world import ANNA, at

SECRET = "whsec_of_the_unit_tests"


pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish")


@pytest.fixture(autouse=True)
def wired(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "store", lambda: till.store)
    monkeypatch.setattr(wiring, "cards", lambda: till.cards)
    monkeypatch.setattr(wiring, "webhook_verifier", lambda: StripeWebhookVerifier(SECRET))
    monkeypatch.setattr(metrics.provider, "namespace", "UnitTests")  # in Lambda the environment says it


def _event(kind: str, object_id: str) -> bytes:
    event = {"id": "evt_1", "object": "event", "type": kind, "data": {"object": {"id": object_id}}}
    # As Stripe sends it, not as we would write it: spaces, lines and letters beyond ASCII are part of what is signed.
    return json.dumps(event | {"note": "Müller, 5 €"}, indent=2, ensure_ascii=False).encode()


def _signature(payload: bytes, age_seconds: float = 0) -> str:
    stamp = int(time.time() - age_seconds)
    digest = hmac.new(SECRET.encode(), f"{stamp}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def _told(payload: bytes, *, signed: str | None = None, in_base64: bool = False) -> int:
    """The status that Stripe gets."""
    event = {
        "version": "2.0",
        "routeKey": "POST /stripe/webhook",
        "rawPath": "/stripe/webhook",
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "stripe-signature": signed or _signature(payload)},
        "requestContext": {
            "requestId": "request",
            "stage": "$default",
            "timeEpoch": int(at(20).timestamp() * 1000),
            "http": {"method": "POST", "path": "/stripe/webhook"},
        },
        "body": base64.b64encode(payload).decode() if in_base64 else payload.decode(),
        "isBase64Encoded": in_base64,
    }
    return int(stripe_webhook.handler(event, CONTEXT)["statusCode"])


def _a_charge(till: Till) -> tuple[str, Callable[[], bool]]:
    answer = till.deposit()
    till.cards.pay(intent_of(answer.payment))
    return intent_of(answer.payment), lambda: till.balance() == 2_000


def _a_saved_card(till: Till) -> tuple[str, Callable[[], bool]]:
    setup = start_setup(till.store, till.cards, till.request(ANNA, "setup"))
    till.cards.save_card(setup.setup_id)
    return setup.setup_id, lambda: len(till.customer().payment_methods) == 1


def _a_refund(till: Till) -> tuple[str, Callable[[], bool]]:
    held = till.reserve(ANNA)
    payment = till.completes(till.pay_by_card(held), 2)
    till.cards.refunds_start = "pending"
    bookings.call_off(till.store, ANNA, held.reservation_id, at(5))
    till.stream(6)
    stripe_id = till.stored_payment(payment).refunds[0].stripe_id or ""
    till.cards.end_refund(stripe_id, "succeeded")
    return stripe_id, lambda: till.stored_payment(payment).status is PaymentStatus.REFUNDED


def _a_dispute(till: Till) -> tuple[str, Callable[[], bool]]:
    payment = till.fund(ANNA, 700)
    dispute = till.cards.open_dispute(intent_of(payment))
    return dispute.stripe_id, lambda: till.stored_payment(payment).dispute is not None


FACTS = pytest.mark.parametrize(
    ("kind", "at_stripe"),
    [
        ("payment_intent.succeeded", _a_charge),
        ("setup_intent.succeeded", _a_saved_card),
        ("refund.updated", _a_refund),
        ("charge.dispute.created", _a_dispute),
    ],
)


@FACTS
def test_each_kind_is_acknowledged_only_when_its_fact_is_committed(
    till: Till, monkeypatch: pytest.MonkeyPatch, kind: str, at_stripe: Callable[[Till], tuple[str, Callable[[], bool]]]
) -> None:
    object_id, is_known = at_stripe(till)

    def no_answer(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(till.store, "commit", no_answer)
        assert _told(_event(kind, object_id)) == 503
    assert not is_known()
    assert _told(_event(kind, object_id)) == 200
    assert is_known()


@FACTS
def test_a_forged_event_of_any_kind_changes_nothing(
    till: Till, kind: str, at_stripe: Callable[[Till], tuple[str, Callable[[], bool]]]
) -> None:
    object_id, is_known = at_stripe(till)
    payload = _event(kind, object_id)
    for signed in (_signature(payload + b"\n"), _signature(payload.replace(b"  ", b" ")), _signature(payload, 310)):
        assert _told(payload, signed=signed) == 400
    assert not is_known()


@pytest.mark.parametrize("in_base64", [False, True])
def test_the_raw_bytes_are_what_is_signed_however_the_gateway_hands_them_over(till: Till, in_base64: bool) -> None:
    intent_id, is_known = _a_charge(till)
    payload = _event("payment_intent.succeeded", intent_id)
    assert _told(payload, signed=_signature(payload, 290), in_base64=in_base64) == 200
    assert is_known()


def test_bytes_that_are_no_text_are_refused(till: Till) -> None:
    assert _told(b'{"id": "\xff\xfe"}', in_base64=True) == 400


def test_an_unknown_kind_is_acknowledged_without_a_look(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "store", lambda: None)
    monkeypatch.setattr(wiring, "cards", lambda: None)
    for kind in ("customer.created", "charge.refunded", "setup_intent.canceled", "payment_method.attached"):
        assert _told(_event(kind, "xx_1")) == 200
