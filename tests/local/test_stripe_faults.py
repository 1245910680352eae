"""Failures on demand on our Stripe emulator: what a caller sees, and what has happened."""

from collections.abc import Iterator

import httpx
import pytest
import stripe

from tests.local.stripe_servers import Emulator, serving

CREATION = {"method": "POST", "path_pattern": "/v1/payment_intents", "times": 1}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with serving(tmp_path_factory.mktemp("stripe"), plain=False) as running:
        yield running


@pytest.fixture
def emulator(server: Emulator) -> Iterator[Emulator]:
    yield server
    httpx.delete(f"{server.base}/_config/faults").raise_for_status()


def inject(emulator: Emulator, **fault: str | int) -> None:
    httpx.post(f"{emulator.base}/_config/faults", json=CREATION | fault).raise_for_status()


def create(emulator: Emulator, key: str) -> str:
    return emulator.sdk.v1.payment_intents.create(
        {"amount": 700, "currency": "eur", "metadata": {"key": key}}, {"idempotency_key": key}
    ).id


def made(emulator: Emulator, key: str) -> int:
    """How many PaymentIntents exist for the key."""
    every = emulator.sdk.v1.payment_intents.list({"limit": 100})
    return sum(intent.metadata is not None and intent.metadata.to_dict().get("key") == key for intent in every)


def test_a_failure_before_acting_leaves_nothing_and_is_kept_under_the_key(emulator: Emulator) -> None:
    inject(emulator, what="before", status=500)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as caught:
            create(emulator, "before")
        assert caught.value.http_status == 500
    assert made(emulator, "before") == 0
    create(emulator, "before-another-key")
    assert made(emulator, "before-another-key") == 1


def test_a_failure_after_acting_leaves_the_intent_and_is_kept_under_the_key(emulator: Emulator) -> None:
    inject(emulator, what="after", status=500)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            create(emulator, "after")
    assert made(emulator, "after") == 1


def test_an_answer_that_is_lost_comes_when_the_key_is_sent_again(emulator: Emulator) -> None:
    inject(emulator, what="lost")
    with pytest.raises(stripe.APIConnectionError):
        create(emulator, "lost")
    intent_id = create(emulator, "lost")
    assert emulator.sdk.v1.payment_intents.retrieve(intent_id).id == intent_id
    assert made(emulator, "lost") == 1


def test_a_fault_strikes_as_often_as_told_and_only_what_it_names(emulator: Emulator) -> None:
    inject(emulator, what="before", times=2, path_pattern=r"/v1/payment_intents/\w+/cancel")
    intent_id = create(emulator, "cancelled")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            emulator.sdk.v1.payment_intents.cancel(intent_id)
    assert emulator.sdk.v1.payment_intents.cancel(intent_id).status == "canceled"


def test_a_fault_strikes_readers_too_and_ends_when_told(emulator: Emulator) -> None:
    intent_id = create(emulator, "read")
    inject(emulator, what="before", status=503, method="GET", path_pattern=f"/v1/payment_intents/{intent_id}", times=9)
    with pytest.raises(stripe.APIError) as caught:
        emulator.sdk.v1.payment_intents.retrieve(intent_id)
    assert caught.value.http_status == 503
    httpx.delete(f"{emulator.base}/_config/faults").raise_for_status()
    assert emulator.sdk.v1.payment_intents.retrieve(intent_id).id == intent_id


def test_a_conflict_or_a_limit_is_not_kept_under_the_key(emulator: Emulator) -> None:
    inject(emulator, what="before", status=429)
    with pytest.raises(stripe.RateLimitError):
        create(emulator, "limited")
    create(emulator, "limited")
    assert made(emulator, "limited") == 1


def test_what_is_no_fault_is_refused(emulator: Emulator) -> None:
    for wrong in ({}, CREATION, CREATION | {"what": "sometimes"}, CREATION | {"what": "before", "path_pattern": "("}):
        assert httpx.post(f"{emulator.base}/_config/faults", json=wrong).status_code == 400
