"""What every answer of the API has in common, whichever function gives it."""

import json
from typing import Any

import pytest

from notifications import api as notifications
from parking import wiring
from parking.adapters.memory.store import MemoryStore
from parking.http import LARGEST_BODY_BYTES, SECURITY_HEADERS
from payments import stripe_webhook
from tests.lambda_context import CONTEXT
from tests.unit.world import ANNA


@pytest.fixture(autouse=True)
def wired(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    monkeypatch.setattr(wiring, "store", lambda: store)


def asked(method: str, path: str, body: str | None = None, handler: Any = notifications.handler) -> dict[str, Any]:
    """What the function answers to Anna."""
    context = {
        "http": {"method": method, "path": path},
        "requestId": "request",
        "stage": "$default",
        "timeEpoch": 1_767_225_600_000,
        "authorizer": {"jwt": {"claims": {"sub": ANNA}, "scopes": []}},
    }
    event = {"version": "2.0", "rawPath": path, "rawQueryString": "", "requestContext": context}
    headers = {"content-type": "application/json"}
    answer: dict[str, Any] = handler(event | {"headers": headers, "body": body, "isBase64Encoded": False}, CONTEXT)
    return answer


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/notification-preferences", 200),
        ("GET", "/notifications", 200),
        ("POST", "/notifications/none/read", 404),
        ("GET", "/nowhere", 404),
        ("PUT", "/notification-preferences", 400),
    ],
)
def test_every_answer_tells_browsers_to_keep_guess_and_embed_nothing(method: str, path: str, status: int) -> None:
    answer = asked(method, path)

    assert answer["statusCode"] == status
    assert answer["headers"].items() >= SECURITY_HEADERS.items()
    assert "Content-Type" in answer["headers"]


def test_an_unexpected_failure_is_answered_like_that_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> MemoryStore:
        raise RuntimeError("asked to break")

    monkeypatch.setattr(wiring, "store", broken)
    answer = asked("GET", "/notification-preferences")

    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (500, "internal_error")
    assert answer["headers"].items() >= SECURITY_HEADERS.items()


@pytest.mark.parametrize(
    ("handler", "path", "largest"),
    [
        (notifications.handler, "/notification-preferences", LARGEST_BODY_BYTES),
        (stripe_webhook.handler, "/stripe/webhook", stripe_webhook.LARGEST_EVENT_BYTES),
    ],
)
@pytest.mark.filterwarnings("ignore:No application metrics to publish")
def test_a_body_beyond_the_limit_is_refused_before_it_is_read(handler: Any, path: str, largest: int) -> None:
    method = "PUT" if handler is notifications.handler else "POST"
    at_limit, beyond = (asked(method, path, "x" * size, handler)["statusCode"] for size in (largest, largest + 1))

    assert (at_limit, beyond) == (400, 413)
