"""What DynamoDB is asked, counted by its own rule, and the filling of tables.

MiniStack counts read units without looking at the size of what it read. The units here are DynamoDB's rule applied to
what each call returned: each started 4 KB is one unit, half a unit where the read is eventually consistent; an
empty answer counts as one started 4 KB.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3

from parking.adapters.dynamodb.schema import shape_of
from parking.adapters.dynamodb.store import DynamoStore
from parking.services.ports import Aggregate

BATCH = 25  # DynamoDB's limit of puts in one BatchWriteItem
UNIT_BYTES = 4096


@dataclass
class Meter:
    """The reads of one measurement."""

    queries: int = 0
    gets: int = 0
    items: int = 0
    units: float = 0
    emulator_units: float = 0

    def query(self, parsed: dict[str, Any], params: dict[str, Any], **_: Any) -> None:
        """One answered Query: all that it returned together."""
        self.queries += 1
        self._read(parsed["Items"], parsed, params)

    def get(self, parsed: dict[str, Any], params: dict[str, Any], **_: Any) -> None:
        """One answered GetItem."""
        self.gets += 1
        self._read([parsed["Item"]] if "Item" in parsed else [], parsed, params)

    def batch_get(self, parsed: dict[str, Any], params: dict[str, Any], **_: Any) -> None:
        """One answered BatchGetItem: each item by itself."""
        for items in parsed["Responses"].values():
            for item in items:
                self.get({"Item": item}, params)
        self.emulator_units += sum(one["CapacityUnits"] for one in parsed.get("ConsumedCapacity", ()))

    def _read(self, items: list[dict[str, Any]], parsed: dict[str, Any], params: dict[str, Any]) -> None:
        size_bytes = sum(_bytes({"M": item}) for item in items)
        self.items += len(items)
        consistent = b'"ConsistentRead": true' in params["body"] or b'"ConsistentRead":true' in params["body"]
        self.units += max(1, -(-size_bytes // UNIT_BYTES)) / (1 if consistent else 2)
        self.emulator_units += parsed.get("ConsumedCapacity", {}).get("CapacityUnits", 0)


@contextmanager
def metered(store: DynamoStore) -> Iterator[Meter]:
    """Counts what the store reads within the block."""
    raise NotImplementedError
