"""What docs/openapi.json says of every route, so that no route is forgotten by the tests that go over all of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.e2e.world import Json

DOCUMENT = Path(__file__).parents[2] / "docs" / "openapi.json"
METHODS = ("GET", "POST", "PUT", "DELETE")


@dataclass(frozen=True)
class Parameter:
    """A path, query or header parameter; `schema` has its references and nullability resolved."""

    name: str
    place: str
    required: bool
    schema: Json
    nullable: bool


@dataclass(frozen=True)
class Operation:
    """One method of one route."""

    method: str
    path: str
    parameters: tuple[Parameter, ...]
    fields: tuple[Parameter, ...]

    @property
    def is_public(self) -> bool:
        """True for the one route that needs no driver's token: Stripe signs what it sends there."""
        return self.path == "/stripe/webhook"

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    def in_place(self, place: str) -> list[Parameter]:
        """The parameters of the path, the query or the header."""
        return [parameter for parameter in self.parameters if parameter.place == place]


def operations() -> list[Operation]:
    """Every operation of the document."""
    return [
        _operation(method, path, described)
        for path, methods in _document()["paths"].items()
        for method, described in methods.items()
    ]


@cache
def _document() -> Any:
    return json.loads(DOCUMENT.read_text(encoding="utf-8"))


def _operation(method: str, path: str, described: Json) -> Operation:
    parameters = tuple(
        _parameter(one["name"], one["in"], one.get("required", False), one["schema"])
        for one in described.get("parameters", [])
    )
    return Operation(
        method=method.upper(),
        path=path,
        parameters=parameters,
        fields=tuple(_fields(described)),
    )


def _fields(described: Json) -> Iterator[Parameter]:
    content = described.get("requestBody", {}).get("content", {})
    if content:
        schema = _resolved(content["application/json"]["schema"])
        for name, one in schema["properties"].items():
            yield _parameter(name, "body", name in schema["required"], one)


def _parameter(name: str, place: str, required: bool, schema: Json) -> Parameter:
    kinds = [_resolved(kind) for kind in schema.get("anyOf", [schema])]
    (kind,) = (kind for kind in kinds if kind.get("type") != "null")
    return Parameter(name, place, required, kind, nullable=len(kinds) > 1)


def _resolved(schema: Json) -> Json:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    resolved: Json = _document()["components"]["schemas"][reference.rpartition("/")[2]]
    return resolved
