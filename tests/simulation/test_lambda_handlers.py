"""The same scenarios once more, fewer: the real Lambda handlers, and DynamoDB on MiniStack behind them."""

import logging
import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from parking import wiring
from parking.adapters.dynamodb.store import DynamoStore
from parking.metrics import metrics
from tests.contract.emulators import create_tables, running_aws
from tests.simulation import doors, handlers
from tests.simulation.api_calls import ApiCall
from tests.simulation.draws import SeededDraws
from tests.simulation.faults import Fault
from tests.simulation.simulation import ALL_FAULTS, simulate
from tests.simulation.twin_store import TwinStore
from tests.simulation.watched_store import IndexedStore, WatchedStore

SEEDS = range(8)
STEPS = 30
# A handler keeps its request in its module, as each Lambda process has one at a time: nothing races inside of one.
FAULTS = ALL_FAULTS - {Fault.RACE}


class HandlerHouse:
    """Events go through the handlers; what they store is in DynamoDB, with the twin beside it."""

    def behind(self, watched: WatchedStore) -> IndexedStore:
        """Tables of its own for each run."""
        return TwinStore(watched, DynamoStore(create_tables()))

    def answer(self, ports: doors.Ports, call: ApiCall, now: datetime) -> Any:
        """See House."""
        handlers.wire(ports)
        return handlers.answer(call, now)

    def handle(self, ports: doors.Ports, kind: str, payload: Any, at: datetime) -> None:
        """See House."""
        handlers.wire(ports)
        handlers.handle(kind, payload, at)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """MiniStack, the environment of a function, and the functions' own wiring when all is over."""
    with running_aws(tmp_path_factory.mktemp("aws")) as aws, pytest.MonkeyPatch.context() as patch:
        variables = {**aws.variables, "CURRENCY": "EUR", "POWERTOOLS_METRICS_NAMESPACE": "SmartParking"}
        for name, value in variables.items():
            patch.setitem(os.environ, name, value)
        for name in ("store", "shadows", "cards", "push", "entry_codes", "webhook_verifier", "in_parallel"):
            patch.setattr(wiring, name, getattr(wiring, name))
        patch.setattr(metrics, "namespace", "SmartParking")
        logging.disable()
        yield
        logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("emulator")
def test_the_handlers_keep_every_invariant_and_both_stores_say_the_same() -> None:
    for seed in SEEDS:
        run = simulate(SeededDraws(seed), STEPS, FAULTS, HandlerHouse())
        assert run.violation is None, f"seed {seed}: {run.violation}"
