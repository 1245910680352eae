"""What the door makes of a body before a handler reads it."""

import json
from typing import Annotated, Any

import pytest
from pydantic import Field, StrictInt

from parking.forms import In
from parking.http import WHOLE, Door, Out, entry
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
