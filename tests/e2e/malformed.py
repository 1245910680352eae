"""Requests with one thing wrong, made from what docs/openapi.json says of each route."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from tests.e2e.openapi import Operation, Parameter
from tests.e2e.world import Json

UNKNOWN_ID = "unknown-id"
NOT_AN_ID = ("a" * 81, "a" * 4000, "a b", "a.b", "spot!", "ä", "车位", "%2e%2e", "'; --", "{{7*7}}")
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
NOT_A_KEY = ("", "a" * 256, "two words", "ключ")


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
    """Every way in which a request of this operation can be wrong."""
    good = wellformed(operation)
    for parameter in operation.parameters:
        match parameter.place:
            case "path":
                yield from _bad_path(good, operation, parameter)
            case "query":
                yield from _bad_query(good, parameter)
            case _:
                yield from _bad_header(good, parameter)
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


def _bad_path(good: Request, operation: Operation, parameter: Parameter) -> Iterator[Request]:
    for value in NOT_AN_ID:
        path = operation.path.replace(f"{{{parameter.name}}}", quote(value, safe="%"))
        yield replace(good, what=f"{parameter.name}={value[:20]!r}", names=parameter.name, path=path)


def _bad_query(good: Request, parameter: Parameter) -> Iterator[Request]:
    others = tuple(one for one in good.query if one[0] != parameter.name)
    bad = replace(good, names=parameter.name)
    if parameter.required:
        yield replace(bad, what=f"{parameter.name} missing", query=others)
    for value in _bad_texts(parameter):
        yield replace(bad, what=f"{parameter.name}={value[:20]!r}", query=(*others, (parameter.name, value)))


def _bad_texts(parameter: Parameter) -> Iterator[str]:
    schema = parameter.schema
    match schema.get("format"), schema["type"]:
        case "date-time", _:
            yield from NOT_A_TIME
        case "date", _:
            yield from NOT_A_DAY
        case _, "number":
            yield from NOT_A_NUMBER
            yield from (str(value) for value in _outside(schema))
        case _, "integer":
            yield from NOT_AN_INTEGER
            yield from (str(int(schema[name]) + sign) for name, sign in _LIMITS.items() if name in schema)
        case _, "boolean":
            yield from ("", "maybe", "2", "[]")
        case _ if "enum" in schema:
            yield from ("", "NOT_ONE_OF_THEM", schema["enum"][0].lower(), f"{schema['enum'][0]},{schema['enum'][1]}")
        case _:
            yield from ("", "x", "%%%", "{}", "a" * 1025, "ä", "bm90IG91cnM", "WyJQYXltZW50Il0")


def _outside(schema: Json) -> Iterator[float]:
    if "maximum" in schema:
        yield from (schema["maximum"] + 0.5, 1e300)
    if "minimum" in schema:
        yield from (schema["minimum"] - 0.5, -1e300)
    if "exclusiveMinimum" in schema:
        yield from (schema["exclusiveMinimum"], -1)


def _bad_header(good: Request, parameter: Parameter) -> Iterator[Request]:
    others = {name: value for name, value in good.headers.items() if name != parameter.name}
    bad = replace(good, names=parameter.name)
    if parameter.required:
        yield replace(bad, what=f"{parameter.name} missing", headers=others)
    if "pattern" in parameter.schema:
        for value in NOT_A_KEY:
            yield replace(bad, what=f"{parameter.name}={value[:20]!r}", headers=others | {parameter.name: value})


def _bad_body(good: Request, operation: Operation) -> Iterator[Request]:
    whole: Json = json.loads(good.body or b"{}")
    for parameter in operation.fields:
        bad = replace(good, names=parameter.name)
        if parameter.required:
            rest = {name: value for name, value in whole.items() if name != parameter.name}
            yield replace(bad, what=f"{parameter.name} missing", body=json.dumps(rest).encode())
        for text in _bad_values(parameter):
            # As text, because some of them are no JSON that Python would write.
            members = {**{name: json.dumps(value) for name, value in whole.items()}, parameter.name: text}
            body = "{" + ", ".join(f'"{name}": {value}' for name, value in members.items()) + "}"
            yield replace(bad, what=f"{parameter.name}: {text[:24]}", body=body.encode())
    yield replace(good, what="unknown field", names="surprise", body=json.dumps(whole | {"surprise": 1}).encode())
    for what, no_object in NO_OBJECTS.items():
        yield replace(good, what=what, names="body", body=no_object)
    for what, strange in STRANGE_OBJECTS.items():
        yield replace(good, what=what, names="a", body=strange)


def _bad_values(parameter: Parameter) -> Iterator[str]:
    """Values that the field does not take, as JSON texts."""
    schema = parameter.schema
    yield from ("true", "{}", "1.5", '[{"a": [1]}]', '{"$ne": null}', "NaN")
    if schema["type"] != "array":
        yield "[]"
    if not parameter.nullable:
        yield "null"
    match schema.get("format"), schema["type"]:
        case "date-time", _:
            yield from (json.dumps(text) for text in NOT_A_TIME)
            yield "1767225600"
        case _, "integer":
            yield from ('"100"', "-1", "1e400", '""')
            yield from (json.dumps(int(schema[name]) + sign) for name, sign in _LIMITS.items() if name in schema)
        case _:
            yield from ("7", '""', '"\\ud800"', '"\\u0000"', json.dumps("a" * 5000), json.dumps("ä!"))


_LIMITS = {"minimum": -1, "maximum": 1}
