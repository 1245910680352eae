<<<<<<< HEAD
"""What the door makes of a body before a handler reads it."""

import json
from typing import Annotated, Any

import pytest
from pydantic import Field, StrictInt

from parking.http import WHOLE, Door, In, Out, entry
from tests.lambda_context import CONTEXT


class Wish(In):
    """A body with a number in it."""

    amount: Annotated[StrictInt, Field(ge=1, le=1000), WHOLE]


class Granted(Out):
    """The number as the handler got it."""

    amount: int


door = Door()
handler = entry(door)


@door.app.post("/wishes")
def grant(wish: Wish) -> Granted:
    """Says what it was given."""
    return Granted(amount=wish.amount)


def posted(body: str, content_type: str = "application/json") -> tuple[int, Any]:
    context = {"http": {"method": "POST", "path": "/wishes"}, "requestId": "r", "stage": "$default", "timeEpoch": 0}
    event = {
        "version": "2.0",
        "rawPath": "/wishes",
        "rawQueryString": "",
        "headers": {"content-type": content_type},
        "requestContext": context,
        "body": body,
        "isBase64Encoded": False,
    }
    answer = handler(event, CONTEXT)
    return answer["statusCode"], json.loads(answer["body"])


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", "amount=5"),
        ("multipart/form-data", '{"amount": 5}'),
        ("multipart/form-data; boundary=x", '--x\r\nContent-Disposition: form-data; name="amount"\r\n\r\n5\r\n--x--'),
        ("text/plain", '{"amount": 5}'),
    ],
)
def test_a_body_of_another_type_is_refused_whether_or_not_it_could_be_read(content_type: str, body: str) -> None:
    status, problem = posted(body, content_type)
    assert (status, problem["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("number", ["5", "5.0", "0.5e1"])
def test_a_whole_number_is_an_integer_however_it_is_written(number: str) -> None:
    assert posted(f'{{"amount": {number}}}') == (200, {"amount": 5})


@pytest.mark.parametrize("other", ["5.5", '"5"', "true", "0.0", "1e300", "1e999", "NaN", "null"])
def test_what_is_no_whole_number_within_the_limits_is_refused_by_its_field(other: str) -> None:
    status, problem = posted(f'{{"amount": {other}}}')
    assert (status, [error["field"] for error in problem["errors"]]) == (400, ["amount"])


def test_a_number_of_more_digits_than_python_reads_is_a_bad_request() -> None:
    status, problem = posted(f'{{"amount": {"1" * 5000}}}')
    assert (status, [error["field"] for error in problem["errors"]]) == (400, ["body"])
=======
"""What every answer of the API has in common, whichever function gives it."""

import json
from typing import Any

import pytest

from notifications import api as notifications
from parking import wiring
from parking.adapters.memory.store import MemoryStore
from parking.http import LARGEST_BODY_BYTES, SECURITY_HEADERS
from payments import stripe_webhook
from tests.unit.test_webhook_door import CONTEXT
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
>>>>>>> 3f8b6a7 (feat: security headers, throttling by route, 413 before parsing, optional second factor, and a scan for weaknesses)
