"""Stripe's word for what came: doubled, forged, late and strange events, and one credit for each payment."""

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import httpx
import pytest

from local.drivers import Driver, confirm_payment
from local.startup import STRIPE_SECRET
from tests.e2e.stays import RICH_MINOR, balance, everything, inbox
from tests.e2e.world import Json, World, at_once, eventually, expect

DEPOSIT_MINOR = 1234
TOLERANCE_SECONDS = 300


@dataclass(frozen=True)
class Deposit:
    """A deposit that its driver has confirmed at Stripe or not."""

    payment_id: str
    intent_id: str
    client_secret: str


def asked(world: World, driver: Driver) -> Deposit:
    """A deposit that waits for the card."""
    deposit = expect(201, driver.post("/wallet/deposits", {"amount": DEPOSIT_MINOR}))
    secret = deposit["client_secret"]
    world.secrets_seen.add(secret)
    return Deposit(deposit["payment_id"], secret.partition("_secret_")[0], secret)


def event_of(intent_id: str, kind: str = "payment_intent.succeeded") -> Json:
    """An event as Stripe writes it; only the id of its object counts."""
    return {
        "id": f"evt_{uuid.uuid4().hex}",
        "object": "event",
        "type": kind,
        "created": int(time.time()),
        "data": {"object": {"id": intent_id, "object": "payment_intent", "amount_received": 999_999}},
    }


def signature(payload: bytes, *, at: float | None = None, secret: str = STRIPE_SECRET["webhook_secret"]) -> str:
    """The Stripe-Signature header."""
    stamp = int(time.time() if at is None else at)
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + payload, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


def deliver(world: World, event: Json, *, signed: str | None = None) -> httpx.Response:
    """Stripe's POST; signed now and rightly unless told otherwise."""
    payload = json.dumps(event).encode()
    headers = {"Content-Type": "application/json", "Stripe-Signature": signed or signature(payload)}
    return httpx.post(f"{world.stack.api_url}/stripe/webhook", content=payload, headers=headers, timeout=30)


def assert_credited_once(driver: Driver, deposit: Deposit) -> None:
    transactions = everything(driver, "/wallet/transactions")
    assert [one["kind"] for one in transactions if one["payment_id"] == deposit.payment_id] == ["DEPOSIT"]
    told = [one for one in inbox(driver, "DEPOSIT_SUCCEEDED") if one["data"]["payment_id"] == deposit.payment_id]
    assert len(told) == 1
    assert expect(200, driver.get(f"/payments/{deposit.payment_id}"))["status"] == "SUCCEEDED"
    assert balance(driver) == RICH_MINOR + DEPOSIT_MINOR


def test_an_event_delivered_many_times_at_once_and_again_credits_once(world: World, driver: Driver) -> None:
    deposit = asked(world, driver)
    confirm_payment(world.stack.stripe_api_base, deposit.client_secret).raise_for_status()
    event = event_of(deposit.intent_id)
    answers = at_once([partial(deliver, world, event)] * 6)
    assert {answer.status_code for answer in answers} == {200}
    expect(200, deliver(world, event))
    assert_credited_once(driver, deposit)


def test_a_late_event_after_others_changes_nothing_more(world: World, driver: Driver) -> None:
    deposit = asked(world, driver)
    for kind in ("payment_intent.created", "payment_intent.requires_action", "payment_intent.succeeded"):
        expect(200, deliver(world, event_of(deposit.intent_id, kind)))
    assert balance(driver) == RICH_MINOR, "an event came before the money, and its word was taken for it"

    confirm_payment(world.stack.stripe_api_base, deposit.client_secret).raise_for_status()
    eventually(lambda: balance(driver) > RICH_MINOR, "the deposit to be credited by Stripe's own event")
    late = event_of(deposit.intent_id) | {"created": int(time.time()) - 3 * 86_400}
    expect(200, deliver(world, late))
    expect(200, deliver(world, event_of(deposit.intent_id, "payment_intent.payment_failed")))
    assert_credited_once(driver, deposit)


@pytest.mark.parametrize(
    "forge",
    [
        pytest.param(lambda payload: signature(payload, secret="whsec_another"), id="another secret"),
        pytest.param(lambda payload: signature(payload + b" "), id="another body"),
        pytest.param(lambda payload: signature(payload, at=time.time() - TOLERANCE_SECONDS - 60), id="too old"),
        pytest.param(lambda _: "t=1,v1=", id="empty signature"),
        pytest.param(lambda _: "what?", id="no signature at all"),
        pytest.param(lambda payload: f"t=nan,v1={signature(payload).partition('v1=')[2]}", id="no time"),
        pytest.param(lambda payload: signature(payload).replace("v1=", "v0="), id="unknown scheme"),
    ],
)
def test_a_forged_event_is_refused(world: World, driver: Driver, forge: Callable[[bytes], str]) -> None:
    deposit = asked(world, driver)
    event = event_of(deposit.intent_id)
    answer = deliver(world, event, signed=forge(json.dumps(event).encode()))
    assert expect(400, answer)["code"] == "invalid_signature"
    assert answer.headers["content-type"] == "application/problem+json"
    assert balance(driver) == RICH_MINOR


def test_an_event_without_the_header_is_refused_by_its_name(world: World) -> None:
    answer = httpx.post(f"{world.stack.api_url}/stripe/webhook", json=event_of("pi_1"))
    assert [error["field"].lower() for error in expect(400, answer)["errors"]] == ["stripe-signature"]


def test_a_card_that_is_declined_credits_nothing(world: World, driver: Driver) -> None:
    deposit = asked(world, driver)
    declined = confirm_payment(
        world.stack.stripe_api_base, deposit.client_secret, payment_method="pm_card_chargeCustomerFail"
    )
    assert declined.status_code == httpx.codes.PAYMENT_REQUIRED, declined.text
    expect(200, deliver(world, event_of(deposit.intent_id, "payment_intent.payment_failed")))
    assert balance(driver) == RICH_MINOR


def test_an_event_of_an_unknown_kind_is_taken_and_changes_nothing(world: World, driver: Driver) -> None:
    deposit = asked(world, driver)
    expect(200, deliver(world, event_of(deposit.intent_id, "customer.subscription.paused")))
    assert balance(driver) == RICH_MINOR


def test_an_event_of_a_payment_intent_that_our_key_does_not_know_is_to_be_sent_again(world: World) -> None:
    """Signed by our secret but unknown under our key: the key is wrong, and Stripe must not drop the money's event."""
    answer = deliver(world, event_of(f"pi_{uuid.uuid4().hex}"))
    assert expect(503, answer)["code"] == "payment_provider_unavailable"


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b"null", b'{"id": "evt_1"}', b'{"data": {"object": null}}'])
def test_a_signed_body_that_is_no_event_is_a_bad_request(world: World, payload: bytes) -> None:
    headers = {"Content-Type": "application/json", "Stripe-Signature": signature(payload)}
    answer = httpx.post(f"{world.stack.api_url}/stripe/webhook", content=payload, headers=headers)
    expect(400, answer)
