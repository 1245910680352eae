"""What schemathesis does not think of: texts that are almost right, and bodies that are hardly JSON."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from tests.e2e.openapi import Operation, Parameter
from tests.e2e.world import Json

UNKNOWN_ID = "unknown-id"
NOT_A_NUMBER = ("", "abc", "NaN", "Infinity", "-Infinity", "1e999", "0x10", "1,5", "[]")
NOT_AN_INTEGER = ("", "abc", "1.5", "NaN", "99999999999999999999", "١٢x")
NOT_A_TIME = (
    "", "now", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-31T09:30:00", "2026-01-31", "1767225600",
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-31T25:00:00Z", "2026-01-31T09:30:00+99:00",
)  # fmt: skip
NOT_A_DAY = ("", "today", "2026-02-30", "31.01.2026", "2026-01-31T09:30:00Z", "0000-00-00", "99999-01-01", "1", "null")
NO_OBJECTS = {
    "no body": None, "empty body": b"", "spaces": b"   ", "list": b"[]", "null": b"null", "number": b"7",
    "text": b'"text"', "cut off": b'{"a": ', "two values": b"{} {}", "form": b"a=b&c=d", "quotes": b"{'a': 1}",
}  # fmt: skip
STRANGE_OBJECTS = {
    "not UTF-8": b'{"a": "\xff\xfe"}',
    "lone surrogate": b'{"a": "\\ud800"}',
    "NaN": b'{"a": NaN}',
    "deep list": b'{"a": ' + b"[" * 6000 + b"]" * 6000 + b"}",
    "deep object": b'{"a":' * 2500 + b"1" + b"}" * 2500,
}
PLACES = {
    "GET /spots": (("lat", "52.5"), ("lon", "13.4")),
    "GET /export/places": (("min_lat", "52.4"), ("min_lon", "13.3"), ("max_lat", "52.5"), ("max_lon", "13.4")),
}
"""What the document cannot say: a search wants a point or a box, and a box has its corners in order."""


@dataclass(frozen=True)
class Request:
    """A request, what is wrong with it, and the field that the answer must name."""

    what: str
    names: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None

    @property
    def url(self) -> str:
        """The path with its query."""
        query = "&".join(f"{name}={quote(value, safe='')}" for name, value in self.query)
        return f"{self.path}?{query}" if query else self.path


def malformed(operation: Operation) -> Iterator[Request]:
    """Requests of this operation that are wrong in one place."""
    good = wellformed(operation)
    for parameter in operation.in_place("query"):
        others = tuple(one for one in good.query if one[0] != parameter.name)
        for value in _almost(parameter):
            query = (*others, (parameter.name, value))
            yield replace(good, what=f"{parameter.name}={value[:20]!r}", names=parameter.name, query=query)
    if operation.fields:
        yield from _bad_body(good, operation)


def wellformed(operation: Operation) -> Request:
    """A request that breaks nothing that the document says; its ids name nothing."""
    path = operation.path
    for parameter in operation.in_place("path"):
        path = path.replace(f"{{{parameter.name}}}", UNKNOWN_ID)
    required = tuple((one.name, str(_example(one))) for one in operation.in_place("query") if one.required)
    query = PLACES.get(operation.name, required)
    headers = {one.name: "a-key" for one in operation.in_place("header") if one.required}
    body = None
    if operation.fields:
        headers["content-type"] = "application/json"
        body = json.dumps({one.name: _example(one) for one in operation.fields if one.required}).encode()
    return Request("nothing", "", operation.method, path, query, headers, body)


def _example(parameter: Parameter) -> Any:
    schema = parameter.schema
    known = schema.get("const") or schema.get("enum", [None])[0]
    if known is not None:
        return known
    match schema.get("format"), schema["type"]:
        case "date-time", _:
            return "2030-01-31T10:30:00Z" if parameter.name == "ends_at" else "2030-01-31T09:30:00Z"
        case "date", _:
            return "2030-01-31"
        case _, "number" | "integer":
            return int(schema.get("minimum", 1))
        case _, "array":
            return []
        case _:
            return UNKNOWN_ID


def _almost(parameter: Parameter) -> tuple[str, ...]:
    """Texts that are almost what the parameter takes."""
    match parameter.schema.get("format"), parameter.schema["type"]:
        case "date-time", _:
            return NOT_A_TIME
        case "date", _:
            return NOT_A_DAY
        case _, "number":
            return NOT_A_NUMBER
        case _, "integer":
            return NOT_AN_INTEGER
        case _:
            return ()


def _bad_body(good: Request, operation: Operation) -> Iterator[Request]:
    whole: Json = json.loads(good.body or b"{}")
    for parameter in operation.fields:
        for text in _almost(parameter):
            body = json.dumps(whole | {parameter.name: text}).encode()
            yield replace(good, what=f"{parameter.name}: {text[:24]}", names=parameter.name, body=body)
    for what, no_object in NO_OBJECTS.items():
        yield replace(good, what=what, names="body", body=no_object)
    for what, strange in STRANGE_OBJECTS.items():
        yield replace(good, what=what, names="a", body=strange)
