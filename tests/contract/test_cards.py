"""Stripe, in memory and as localstripe plays it."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import pytest

from parking.adapters.memory.cards import MemoryCards
from parking.adapters.stripe_cards import StripeCards, StripeWebhookVerifier
from parking.services.ports import CardError, CardGateway, ForgedWebhook, Intent
from tests.builders import a_payment
from tests.contract.emulators import running_stripe

SECRET_KEY = "sk_test_contract"
SIGNING_SECRET = "whsec_contract"
GOOD_CARD = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2030", "cvc": "123"}


@dataclass
class Bench:
    """The port, and the driver's phone."""

    cards: CardGateway
    pay: Callable[[Intent], object]


@pytest.fixture(scope="session")
def stripe_base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_stripe(tmp_path_factory.mktemp("stripe")) as base:
        yield base


@pytest.fixture(params=["memory", "stripe"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "memory":
        memory = MemoryCards()
        return Bench(memory, lambda intent: memory.pay(intent.intent_id))
    base: str = request.getfixturevalue("stripe_base")

    def pay(intent: Intent) -> None:
        card = {f"payment_method_data[card][{name}]": value for name, value in GOOD_CARD.items()}
        form = {"client_secret": intent.client_secret, "payment_method_data[type]": "card", **card}
        phone = {"Authorization": "Bearer pk_test_contract"}
        url = f"{base}/v1/payment_intents/{intent.intent_id}/confirm"
        httpx.post(url, data=form, headers=phone).raise_for_status()

    return Bench(StripeCards(SECRET_KEY, base), pay)


def test_an_intent_says_whose_payment_it_is(bench: Bench) -> None:
    payment = a_payment()
    intent = bench.cards.create_intent(payment, "Parking, 2 h")
    assert (intent.user_id, intent.payment_id) == (payment.user_id, payment.payment_id)
    assert (intent.amount_minor, intent.amount_received_minor, intent.currency) == (480, 0, "EUR")
    assert intent.status == "requires_payment_method"
    assert intent.client_secret.startswith(intent.intent_id)
    assert bench.cards.intent(intent.intent_id) == intent


def test_a_payment_has_one_intent_however_often_it_is_asked_for(bench: Bench) -> None:
    payment = a_payment()
    first = bench.cards.create_intent(payment, "Parking, 2 h")
    assert bench.cards.create_intent(payment, "Parking, 2 h") == first
    assert bench.cards.create_intent(a_payment(), "Parking, 2 h").intent_id != first.intent_id


def test_a_paid_intent_says_so(bench: Bench) -> None:
    intent = bench.cards.create_intent(a_payment(), "Parking, 2 h")
    bench.pay(intent)
    paid = bench.cards.intent(intent.intent_id)
    assert (paid.status, paid.amount_received_minor) == ("succeeded", 480)
    assert (paid.user_id, paid.payment_id) == (intent.user_id, intent.payment_id)


def test_an_unknown_intent_is_an_error(bench: Bench) -> None:
    with pytest.raises(CardError):
        bench.cards.intent("pi_unknown")


def test_an_error_tells_no_secret(stripe_base: str) -> None:
    with pytest.raises(CardError) as refused:
        StripeCards("not_a_key_at_all", stripe_base).intent("pi_unknown")
    assert "not_a_key" not in str(refused.value)
    with pytest.raises(CardError) as unreachable:
        StripeCards(SECRET_KEY, "http://127.0.0.1:1").intent("pi_unknown")
    assert SECRET_KEY not in str(unreachable.value)
    assert refused.value.__cause__ is None
    assert unreachable.value.__suppress_context__


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
