"""The signature of Stripe's webhooks."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable

import pytest

from parking.adapters.stripe_cards import StripeWebhookVerifier
from parking.services.ports import ForgedWebhook

SIGNING_SECRET = "whsec_contract"
EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "payment_intent.succeeded",
    "data": {"object": {"id": "pi_1", "object": "payment_intent"}},
}


def _signed(payload: bytes, at: float, secret: str = SIGNING_SECRET) -> str:
    digest = hmac.new(secret.encode(), f"{at:.0f}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={at:.0f},v1={digest}"


def test_a_signed_webhook_says_where_to_look() -> None:
    payload = json.dumps(EVENT).encode()
    event = StripeWebhookVerifier(SIGNING_SECRET).verify(payload, _signed(payload, time.time()))
    assert (event.event_id, event.kind, event.object_id) == ("evt_1", "payment_intent.succeeded", "pi_1")


@pytest.mark.parametrize(
    "signature",
    [
        lambda _: "",
        lambda _: "t=,v1=",
        lambda _: "t=1e99,v1=00",
        lambda _: "ÿ",
        lambda payload: _signed(payload, time.time(), "whsec_other"),
        lambda payload: _signed(payload + b" ", time.time()),
        lambda payload: _signed(payload, time.time() - 301),
    ],
)
def test_a_webhook_that_stripe_did_not_sign_just_now_is_forged(signature: Callable[[bytes], str]) -> None:
    payload = json.dumps(EVENT).encode()
    with pytest.raises(ForgedWebhook):
        StripeWebhookVerifier(SIGNING_SECRET).verify(payload, signature(payload))


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b"5", b"{}", b'{"object": "event", "id": "evt_1", "type": "x"}'])
def test_a_signed_webhook_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(ForgedWebhook):
        StripeWebhookVerifier(SIGNING_SECRET).verify(body, _signed(body, time.time()))
