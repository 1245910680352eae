"""What DynamoDB bills for each call, by its own rule, with the reason beside it.

Writes (developer guide, "Read/write capacity" and "Secondary indexes"): one unit for each started KB of the larger of
the old and the new item, twice that in a transaction, where a condition check pays as well. An index entry that appears
or goes is one unit, one that moves is two; an index of keys is not touched while its keys stay. Index entries are not
doubled in a transaction: they follow the committed item. Reads: one for each started 4 KB and at least one, half of it
where eventually consistent.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3

from benchmarks.metered import UNIT_BYTES, size_bytes

WRITE_UNIT_BYTES = 1024

_Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Line:
    """One item of one call: how many units, of what, and why."""

    function: str
    call: str
    table: str
    writes: float
    reads: float
    why: str


@dataclass(frozen=True, slots=True)
class _Index:
    name: str
    keys: tuple[str, ...]
    of_keys: bool

    def entry(self, item: _Item | None) -> tuple[str, ...] | None:
        if item is None or any(key not in item for key in self.keys):
            return None
        return tuple(str(item[key]) for key in self.keys)

    def units(self, before: _Item | None, after: _Item) -> int:
        was, now = self.entry(before), self.entry(after)
        each = 1 if self.of_keys else _started(size_bytes(after), WRITE_UNIT_BYTES)
        if was == now:
            return 0 if now is None or self.of_keys else each
        return each * ((was is not None) + (now is not None))


@dataclass(frozen=True, slots=True)
class _Table:
    keys: tuple[str, ...]
    indexes: tuple[_Index, ...]

    def key(self, item: _Item) -> tuple[str, ...]:
        return tuple(str(item[name]) for name in self.keys)


@dataclass
class Capacity:
    """Watches a client's calls. `function` names who is running; `put` takes each item that was written."""

    function: str = ""
    lines: list[Line] = field(default_factory=list)
    written: list[tuple[str, _Item | None, _Item]] = field(default_factory=list)
    """Table, old and new image of each write, in their order, for whoever plays the streams."""
    _tables: dict[str, _Table] = field(default_factory=dict)
    _images: dict[tuple[str, tuple[str, ...]], _Item] = field(default_factory=dict)

    def watch(self, client: Any) -> None:
        """From now on."""
        client.meta.events.register("before-call.dynamodb", self._asked)
        client.meta.events.register("after-call.dynamodb", self._answered)

    def _asked(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        context["body"] = json.loads(params["body"])

    def _answered(
        self, http_response: Any, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any
    ) -> None:
        if http_response.status_code != 200:  # noqa: PLR2004  # a journey alone in the world loses no race
            raise RuntimeError(f"{self.function}: {model.name} answered {parsed}")
        body = context["body"]
        self.lines += self._lines(model.name, body, parsed)

    def _lines(self, call: str, body: _Item, parsed: _Item) -> Iterator[Line]:
        match call:
            case "PutItem":
                yield self._put(call, body, 1)
            case "TransactWriteItems":
                for action in body["TransactItems"]:
                    [(kind, wish)] = action.items()
                    yield self._put(call, wish, 2) if kind == "Put" else self._check(call, wish)
            case "GetItem":
                found = [parsed["Item"]] if "Item" in parsed else []
                yield self._read(call, body["TableName"], found, consistent=body.get("ConsistentRead", False))
            case "BatchGetItem":
                for table, found in parsed["Responses"].items():
                    for item in found:
                        yield self._read(call, table, [item], consistent=True)
            case "Query":
                yield self._read(
                    f"Query {body.get('IndexName', '')}".strip(),
                    body["TableName"],
                    parsed.get("Items", []),
                    consistent=body.get("ConsistentRead", False),
                )

    def _put(self, call: str, wish: _Item, times: int) -> Line:
        table, item = self._table(wish["TableName"]), wish["Item"]
        address = (wish["TableName"], table.key(item))
        before = self._images.get(address)
        self._images[address] = item
        self.written.append((wish["TableName"], before, item))
        size = max(size_bytes(item), size_bytes(before) if before else 0)
        own = times * _started(size, WRITE_UNIT_BYTES)
        moved = {index.name: units for index in table.indexes if (units := index.units(before, item))}
        why = f"{size} B{' in a transaction' if times > 1 else ''}: {own}"
        why += "".join(f" + {name} {units}" for name, units in moved.items())
        return Line(self.function, call, wish["TableName"], own + sum(moved.values()), 0, why)

    def _check(self, call: str, wish: _Item) -> Line:
        table = self._table(wish["TableName"])
        there = self._images.get((wish["TableName"], table.key(wish["Key"])))
        units = 2 * _started(size_bytes(there) if there else 0, WRITE_UNIT_BYTES)
        return Line(self.function, call, wish["TableName"], units, 0, f"only checked: {units}")

    def _read(self, call: str, table: str, found: list[_Item], *, consistent: bool) -> Line:
        size = sum(size_bytes(item) for item in found)
        units = _started(size, UNIT_BYTES) / (1 if consistent else 2)
        return Line(self.function, call, table, 0, units, f"{len(found)} items, {size} B: {units:g}")

    def _table(self, name: str) -> _Table:
        if name not in self._tables:
            described: Any = boto3.client("dynamodb").describe_table(TableName=name)["Table"]
            indexes = described.get("GlobalSecondaryIndexes", []) + described.get("LocalSecondaryIndexes", [])
            self._tables[name] = _Table(
                _names(described),
                tuple(
                    _Index(one["IndexName"], _names(one), one["Projection"]["ProjectionType"] == "KEYS_ONLY")
                    for one in indexes
                ),
            )
        return self._tables[name]


def _names(described: Any) -> tuple[str, ...]:
    return tuple(key["AttributeName"] for key in described["KeySchema"])


def _started(size: int, unit: int) -> int:
    return max(1, -(-size // unit))
