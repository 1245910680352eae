"""The door for the mobile app: one way to take a request, to answer, to page and to say no.

Everything that the API functions share and that knows of HTTP is here; the use cases do not.
"""

import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import (
    RequestUnsupportedContentType,
    RequestValidationError,
)
from aws_lambda_powertools.event_handler.openapi.params import Header, Path, Query
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from parking import wiring
from parking.domain.errors import (
    CardDeclined,
    FreshLoginRequired,
    IdempotencyMismatch,
    InsufficientFunds,
    InvalidField,
    NotFound,
    ParkingError,
    Refused,
)
from parking.domain.ids import CreateRequest, UserId
from parking.metrics import count
from parking.services.ports import Busy, CardError, ForgedWebhook, InvalidCursor, StoreUnavailable

LARGEST_BODY_BYTES = 16_384
PROBLEM = "application/problem+json"
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
SECURITY_HEADERS = {
    "Cache-Control": "no-store",  # every answer is for who asked, and of this moment
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # an address here holds ids
    "Strict-Transport-Security": "max-age=63072000",
    "X-Content-Type-Options": "nosniff",
}
"""What browsers are to make of an answer. Only the receipt is shown as a page: its style stands in it, and no script.

Source: OWASP REST Security Cheat Sheet, "Security Headers".
"""

logger = Logger()


# -- what a request and an answer are made of ---------------------------------------------------------------------


_YEARS = range(2000, 2200)
_DATED = re.compile(r"\d{4}-\d\d-\d\d[Tt ]")


def _dated(value: object) -> object:
    """Of what a request can hold only a dated text is a time: digits would silently be seconds since 1970."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _DATED.match(value)):
        raise ValueError("must be a time like 2026-01-31T09:30:00Z")
    return value


def _utc(value: datetime) -> datetime:
    """In UTC, and far enough from the ends of the calendar that adding a day is always possible."""
    if value.year not in _YEARS:
        raise ValueError("is not a year that we know")
    return value.astimezone(UTC)


def _spoken(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_dated),
    AfterValidator(_utc),
    PlainSerializer(_spoken, return_type=str),
    Field(examples=["2026-01-31T09:30:00Z"], json_schema_extra={"format": "date-time"}),
]
"""UTC to the second, `2026-01-31T09:30:00Z`; an offset is accepted, a time without one is not."""


def _whole(value: object) -> object:
    """JSON has one kind of number, so 525.0 is the integer 525 (JSON Schema Validation, 6.1.1)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Behind a StrictInt and its limits: an integer however it is written; neither a text nor true is one."""

IdPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,80}$")]
IdField = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")]
IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[\x21-\x7e]{1,255}$",
        description="Names this wish: the same key and body again give the first answer, and nothing happens twice.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=100, description="How many items at most.")]
Cursor = Annotated[
    str | None, Query(max_length=1024, description="`next_cursor` of the page before; leave out for the first page.")
]


class Out(BaseModel):
    """An answer. What checks it is built when one is first given: INIT would build those of all routes."""

    model_config = ConfigDict(frozen=True, defer_build=True)


class FieldError(Out):
    """Which field, and what is wrong with it."""

    field: str
    reason: str


class Problem(Out):
    """RFC 9457. `code` is stable, `detail` is for people, `errors` names the fields of a bad request."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldError] | None = None


# -- who asks, when, and for what ---------------------------------------------------------------------------------


class Door:
    """One API function's resolver, and what it knows of the request in hand."""

    def __init__(self, largest_body_bytes: int = LARGEST_BODY_BYTES) -> None:
        self._largest_body_bytes = largest_body_bytes
        self.app = APIGatewayHttpResolver(enable_validation=True, json_body_deserializer=_read)
        for cause, answer in _ANSWERS.items():
            self.app.exception_handler(cause)(self._answering(answer))

    @property
    def user_id(self) -> UserId:
        """The Cognito `sub` of the access token that API Gateway's authorizer has checked."""
        return UserId(self._claims.get("sub", ""))

    @property
    def logged_in_at(self) -> datetime | None:
        """When the driver gave the password: a refreshed token keeps the time (OpenID Connect Core, 12.2)."""
        auth_time = self._claims.get("auth_time")
        return datetime.fromtimestamp(int(auth_time), UTC) if auth_time else None

    @property
    def _claims(self) -> dict[str, Any]:
        authorizer = self.app.current_event.request_context.authorizer
        return (authorizer.jwt_claim if authorizer else None) or {}

    @property
    def now(self) -> datetime:
        """When API Gateway took the request (design, rule 1)."""
        return datetime.fromtimestamp(self.app.current_event.request_context.time_epoch / 1000, UTC)

    def wish(self, key: str) -> CreateRequest:
        """The creating request as its Idempotency-Key names it."""
        body = json.dumps(self.app.current_event.json_body, sort_keys=True, separators=(",", ":"))
        fingerprint = hashlib.sha256(body.encode()).hexdigest()[:32]
        event = self.app.current_event
        return CreateRequest(self.user_id, f"{event.http_method} {event.path}", key, fingerprint)

    def resolve(self, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        """The answer, with our headers. A body that is too large is not even parsed: middleware comes too late."""
        answered: dict[str, Any]
        if len(event.get("body") or "") > self._largest_body_bytes:
            detail = f"A request body here has at most {self._largest_body_bytes} bytes."
            status, request_id = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, event["requestContext"]["requestId"]
            refused = problem(status, "body_too_large", detail, request_id)
            answered = {"statusCode": status.value, "headers": {"Content-Type": PROBLEM}, "body": refused.body}
        else:
            answered = self.app.resolve(_without_forms(event), context)
        return answered | {"headers": SECURITY_HEADERS | answered["headers"]}

    def _answering(self, answer: "Answer") -> Callable[[Any], Response[Any]]:
        def respond(cause: Exception) -> Response[Any]:
            request_id = self.app.current_event.request_context.request_id
            return answer(cause, request_id)

        return respond


def entry(door: Door) -> Callable[[dict[str, Any], LambdaContext], dict[str, Any]]:
    """The Lambda handler of a door: correlation id in every log line, then resolve.

    Somebody waits for its first answer, and on Lambda INIT has more of a processor than a request has.
    """
    wiring.load_ahead()

    @logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_HTTP, clear_state=True)
    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        return door.resolve(event, context)

    return handler


def _read(body: str) -> Any:
    """A body's JSON. Raises JSONDecodeError, and InvalidField for a number of more digits than Python reads."""
    try:
        return json.loads(body)
    except json.JSONDecodeError:
        raise
    except ValueError as cause:
        raise InvalidField("body", "is not JSON that we can read") from cause


def _without_forms(event: dict[str, Any]) -> dict[str, Any]:
    """The event, a form in it made unreadable, so that it is refused like every other type but JSON.

    Powertools would read forms too: nothing here is documented to take one, and one without a boundary would be a 500.
    """
    headers = event.get("headers") or {}
    if not headers.get("content-type", "").strip().startswith(_FORMS):
        return event
    return event | {"headers": headers | {"content-type": "form"}}


# -- saying no ----------------------------------------------------------------------------------------------------


Answer = Callable[[Any, str], Response[Any]]

_STATUS: dict[type[ParkingError], HTTPStatus] = {
    InvalidField: HTTPStatus.BAD_REQUEST,
    FreshLoginRequired: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Refused: HTTPStatus.CONFLICT,
    InsufficientFunds: HTTPStatus.PAYMENT_REQUIRED,
    CardDeclined: HTTPStatus.PAYMENT_REQUIRED,
    IdempotencyMismatch: HTTPStatus.UNPROCESSABLE_ENTITY,
}


def problem(
    status: HTTPStatus,
    code: str,
    detail: str,
    request_id: str,
    *,
    more: Mapping[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[Any]:
    """A problem document. `more` are members that the client may act on, such as latest_ends_at."""
    body = {
        **{name: _spoken(value) if isinstance(value, datetime) else value for name, value in (more or {}).items()},
        "type": f"urn:parking:problem:{code}",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "code": code,
        "request_id": request_id,
    }
    return Response(status.value, PROBLEM, json.dumps(body), headers)


def _refusal(cause: ParkingError, request_id: str) -> Response[Any]:
    status = next(status for kind, status in _STATUS.items() if isinstance(cause, kind))
    data = dict(cause.data)
    field = cause.field if isinstance(cause, InvalidField) else data.pop("field", None)
    if field:
        reason = cause.reason if isinstance(cause, InvalidField) else cause.detail
        data["errors"] = [{"field": field, "reason": reason}]
    return problem(status, cause.code, cause.detail, request_id, more=data)


def _bad_request(cause: RequestValidationError, request_id: str) -> Response[Any]:
    # Only the place and the message: errors() holds what was sent, which may be a secret.
    errors = [
        {"field": _field(error), "reason": error["msg"].removeprefix("Value error, ")} for error in cause.errors()
    ]
    fields = ", ".join(error["field"] for error in errors)
    return problem(
        HTTPStatus.BAD_REQUEST, "invalid_request", f"Not acceptable: {fields}.", request_id, more={"errors": errors}
    )


def _field(error: Mapping[str, Any]) -> str:
    place, *inside = error["loc"]
    # Broken JSON has the parser's offset in the place of a name.
    return place if error["type"] == "json_invalid" or not inside else ".".join(str(part) for part in inside)


def _unreadable(_: Exception, request_id: str) -> Response[Any]:
    return _refusal(InvalidField("body", "is not JSON that we can read"), request_id)


def _bad_cursor(_: InvalidCursor, request_id: str) -> Response[Any]:
    return _refusal(InvalidField("cursor", "is not a cursor of this list"), request_id)


def _forged(_: ForgedWebhook, request_id: str) -> Response[Any]:
    logger.warning("a webhook that Stripe did not sign, or too long ago")
    return problem(HTTPStatus.BAD_REQUEST, "invalid_signature", "The signature does not fit.", request_id)


def _unsupported(_: RequestUnsupportedContentType, request_id: str) -> Response[Any]:
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    return problem(status, "unsupported_media_type", "Send application/json.", request_id)


def _no_route(_: NotFoundError, request_id: str) -> Response[Any]:
    return problem(HTTPStatus.NOT_FOUND, "not_found", "There is no such resource.", request_id)


def _busy(cause: Exception, request_id: str) -> Response[Any]:
    logger.warning("gave up for now", exc_info=cause)
    status = HTTPStatus.SERVICE_UNAVAILABLE
    return problem(status, "busy", "Too much at once; try again.", request_id, headers={"Retry-After": "1"})


def _no_answer_from_stripe(cause: Exception, request_id: str) -> Response[Any]:
    logger.warning("Stripe could not be asked", exc_info=cause)
    count({"StripeUnavailable": 1})
    status = HTTPStatus.SERVICE_UNAVAILABLE
    detail = "The payment provider could not be asked; try again."
    return problem(status, "payment_provider_unavailable", detail, request_id, headers={"Retry-After": "5"})


def _unexpected(cause: Exception, request_id: str) -> Response[Any]:
    logger.error("unexpected failure", exc_info=cause)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return problem(status, "internal_error", "Something went wrong on our side; it is in our log.", request_id)


_ANSWERS: dict[type[Exception], Answer] = {
    ParkingError: _refusal,
    RequestValidationError: _bad_request,
    RecursionError: _unreadable,  # brackets without end
    UnicodeDecodeError: _unreadable,
    binascii.Error: _unreadable,
    InvalidCursor: _bad_cursor,
    ForgedWebhook: _forged,
    RequestUnsupportedContentType: _unsupported,
    NotFoundError: _no_route,
    Busy: _busy,
    CardError: _no_answer_from_stripe,
    StoreUnavailable: _busy,
    Exception: _unexpected,
}


class Unauthorized(Out):
    """API Gateway's own words: no access token, an expired one, or a forged one."""

    message: str


def documented(success: HTTPStatus, model: type[BaseModel] | None, *problems: HTTPStatus) -> dict[int, Any]:
    """The `responses` of a route for the OpenAPI document: its success, and the problems that it can say."""
    said = {success.value: _described(success.phrase, "application/json", model)}
    said[HTTPStatus.UNAUTHORIZED.value] = _described(
        "No valid access token; answered by API Gateway itself", "application/json", Unauthorized
    )
    always = (HTTPStatus.BAD_REQUEST, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE)
    for status in (*always, *problems):
        said[status.value] = _described(status.phrase, PROBLEM, Problem)
    return dict(sorted(said.items()))


def _described(description: str, content_type: str, model: type[BaseModel] | None) -> dict[str, Any]:
    return {"description": description, "content": {content_type: {"model": model}} if model else {}}


def prefers(accept: str, media_type: str) -> bool:
    """True if an `Accept` header names the media type, and not behind JSON."""
    kinds = [part.split(";")[0].strip().lower() for part in accept.split(",")]
    if media_type not in kinds:
        return False
    return "application/json" not in kinds or kinds.index(media_type) < kinds.index("application/json")


def answer(model: BaseModel, status: HTTPStatus = HTTPStatus.OK, media_type: str = "application/json") -> Response[Any]:
    """An answer that is not simply 200 with JSON."""
    return Response(status.value, media_type, model.model_dump_json())
