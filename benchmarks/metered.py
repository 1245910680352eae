"""What DynamoDB is asked, counted by its own rule, and tables filled fast.

MiniStack counts read units without looking at the size of what it read. The units here are DynamoDB's rule applied to
what each call returned: one for each started 4 KB and at least one, half of it if the read is eventually consistent.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import batched
from typing import Any

import boto3

from parking.adapters.dynamodb.schema import shape_of
from parking.adapters.dynamodb.store import DynamoStore
from parking.services.ports import Aggregate

PUTS_MAX = 25  # DynamoDB's limit in one BatchWriteItem
UNIT_BYTES = 4096


@dataclass
class Meter:
    """The reads of one measurement; `emulator_units` is what MiniStack said of them."""

    queries: int = 0
    gets: int = 0
    items: int = 0
    units: float = 0
    emulator_units: float = 0

    def asked(self, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        """A call before it is made: the only place where its consistency can be seen."""
        context["consistent"] = b'"ConsistentRead": true' in params["body"]

    def answered(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        """A call with its answer. A Query is weighed as a whole, what is got by key one by one."""
        match model.name:
            case "Query":
                self.queries += 1
                weighed = [parsed["Items"]]
            case "GetItem":
                self.gets += 1
                weighed = [[parsed["Item"]] if "Item" in parsed else []]
            case "BatchGetItem":
                self.gets += 1
                weighed = [[item] for items in parsed["Responses"].values() for item in items]
            case _:
                return
        for items in weighed:
            weight = sum(size_bytes(item) for item in items)
            self.items += len(items)
            self.units += max(1, -(-weight // UNIT_BYTES)) / (1 if context["consistent"] else 2)
        consumed = parsed.get("ConsumedCapacity", [])  # MiniStack says nothing of a BatchGetItem
        self.emulator_units += sum(
            one["CapacityUnits"] for one in (consumed if isinstance(consumed, list) else [consumed])
        )


def size_bytes(item: dict[str, Any]) -> int:
    """An item's size by DynamoDB's rules: the names and the values of its attributes."""
    return sum(len(name) + _bytes(value) for name, value in item.items())


def _bytes(value: dict[str, Any]) -> int:
    """An attribute's size; a number has one byte for two digits, and one more."""
    [(kind, inner)] = value.items()
    if kind == "M":
        return 3 + sum(1 + len(name) + _bytes(one) for name, one in inner.items())
    if kind == "N":
        return 1 + (len(inner.strip("-0.")) + 1) // 2
    if kind == "L":
        return 3 + sum(1 + _bytes(one) for one in inner)
    return len(str(inner).encode())


@contextmanager
def metered(store: DynamoStore) -> Iterator[Meter]:
    """Counts what the store reads within the block, one call after another."""
    meter, events = Meter(), store._connection.client.meta.events
    events.register("before-call.dynamodb", meter.asked)
    events.register("after-call.dynamodb", meter.answered)
    yield meter
    events.unregister("before-call.dynamodb", meter.asked)
    events.unregister("after-call.dynamodb", meter.answered)


def fill[A: Aggregate](table: str, kind: type[A], items: Iterable[A]) -> None:
    """Put new items into a table, without asking what is there."""
    client: Any = boto3.client("dynamodb")
    shape = shape_of(kind)
    for some in batched(items, PUTS_MAX, strict=False):
        puts = [{"PutRequest": {"Item": shape.item(item)}} for item in some]
        if client.batch_write_item(RequestItems={table: puts})["UnprocessedItems"]:
            raise RuntimeError("the emulator left puts unprocessed")
