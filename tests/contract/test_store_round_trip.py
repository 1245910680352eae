"""Whatever the domain can say comes back as it was said."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from parking.adapters.dynamodb.schema import shape_of
from parking.services.ports import Aggregate, Store
from tests.builders import NOW, a_reservation, an_extension
from tests.contract.strategies import AGGREGATES

RESERVATION_BYTES_MAX = 1024


def _hash_key(aggregate: Aggregate) -> str:
    return shape_of(type(aggregate)).key_names[0]


@pytest.mark.parametrize("kind", AGGREGATES)
@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_aggregate_comes_back_as_it_was_stored(store: Store, kind: str, data: st.DataObject) -> None:
    drawn = data.draw(AGGREGATES[kind])
    aggregate: Any = replace(drawn, **{_hash_key(drawn): uuid4().hex})  # type: ignore[arg-type]  # one field by name
    store.commit(aggregate)
    assert store.get(type(aggregate), *aggregate.key) == replace(aggregate, version=1)


def test_a_reservation_with_everything_outstanding_is_small() -> None:
    held = a_reservation()
    extended = a_reservation(
        extensions=(an_extension(),), guard_due_at=NOW, told_end=NOW, finish_due_at=NOW, arrival_requested_at=NOW
    )
    assert _bytes(held) <= RESERVATION_BYTES_MAX
    assert _bytes(extended) <= 2 * RESERVATION_BYTES_MAX


def _bytes(aggregate: Aggregate) -> int:
    """An item's size by DynamoDB's rules, counted a little too high (a number is half a byte a digit)."""

    def size(value: Any) -> int:
        match value:
            case {"M": fields}:
                return 3 + sum(1 + len(name) + size(inner) for name, inner in fields.items())
            case {"L": elements}:
                return 3 + sum(1 + size(inner) for inner in elements)
        [text] = value.values()
        return len(str(text).encode())

    return size({"M": shape_of(type(aggregate)).item(aggregate)})
