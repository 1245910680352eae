"""The processor's time per request as a ratio to the same requests written by hand: `make bench-cpu`.

Both run in this process, in turn, on the same tables. What botocore needs to sign, send and read is in both.
"""

import logging
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from benchmarks.cost.by_hand import ByHand
from parking.adapters.dynamodb.store import DynamoStore
from parking.adapters.dynamodb.tables import Tables
from parking.adapters.entry_codes import DerivedEntryCodes
from parking.adapters.memory.cards import MemoryCards
from parking.adapters.memory.iot import MemoryShadows, MemoryThings
from parking.adapters.memory.logins import MemoryLogins
from parking.adapters.memory.push import MemoryPush
from parking.domain.spot import Spot
from reservations import api
from tests.builders import NOW, a_blocker, a_spot
from tests.contract.emulators import create_tables, running_aws
from tests.lambda_context import CONTEXT
from tests.simulation import doors, handlers

ROUNDS, WARM_UP = 200, 10
RATIO_MAX = 1.6
DRIVER = {"sub": "driver"}
"""What the access token says."""
Handle = Callable[[dict[str, Any]], dict[str, Any]]


def _create(spot: Spot, number: int) -> dict[str, Any]:
    starts_at = NOW + timedelta(hours=8 * number + 1)
    body = {
        "spot_id": spot.spot_id,
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=2)).isoformat(),
    }
    return handlers._request("POST /reservations", NOW, DRIVER, uuid.uuid4().hex, body)


def _get(reservation_id: str) -> dict[str, Any]:
    return handlers._request(f"GET /reservations/{reservation_id}", NOW, DRIVER, "", None)


def _cpu_ms(handle: Handle, event: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    began = time.process_time()
    answer = handle(event)
    return 1000 * (time.process_time() - began), answer


def _calls_of(client: Any) -> list[str]:
    """A list that grows with each call that the client makes."""
    calls = list[str]()
    client.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))
    return calls


def _measured(ours: Handle, tables: Tables) -> dict[str, tuple[list[float], list[float]]]:
    """CPU milliseconds by route, ours and by hand."""
    by_hand, store = ByHand(tables), DynamoStore(tables)
    codes = DerivedEntryCodes({"present": "master"})
    handlers.wire(
        doors.Ports(
            store, MemoryShadows(), MemoryCards(), MemoryPush(), MemoryThings(), codes, MemoryLogins(), lambda _: None
        )
    )
    one, other = a_spot(), a_spot()
    store.commit(one, other, *(a_blocker(blocker_id=spot.blocker_id, spot_id=spot.spot_id) for spot in (one, other)))
    calls, calls_by_hand = _calls_of(store._connection.client), _calls_of(by_hand.client)
    times: dict[str, tuple[list[float], list[float]]] = {"GET": ([], []), "POST": ([], [])}
    for number in range(WARM_UP + ROUNDS):
        sides = ((one, ours, ours), (other, by_hand.create, by_hand.get))
        for side, (spot, create, get) in enumerate(sides):
            created_ms, created = _cpu_ms(create, _create(spot, number))
            reservation_id = created["body"].partition('"reservation_id"')[2].split('"')[1]
            got_ms, got = _cpu_ms(get, _get(reservation_id))
            if (created["statusCode"], got["statusCode"]) != (201, 200):
                raise RuntimeError(f"{created} {got}")
            if number >= WARM_UP:
                times["POST"][side].append(created_ms)
                times["GET"][side].append(got_ms)
    if sorted(calls) != sorted(calls_by_hand):
        raise RuntimeError(f"ours called {Counter(calls)}, by hand {Counter(calls_by_hand)}: that is no comparison")
    return times


def main() -> None:
    """Exit 1 if a request needs more than 1.6 times what it needs by hand."""
    with tempfile.TemporaryDirectory() as logs, running_aws(Path(logs)) as aws:
        os.environ.update(aws.variables | {"CURRENCY": "EUR"})
        logging.disable()
        with redirect_stdout(StringIO()):
            times = _measured(lambda event: api.handler(event, CONTEXT), create_tables())
    ratios = []
    for route, (ours, by_hand) in times.items():
        mine, theirs = statistics.median(ours), statistics.median(by_hand)
        ratios.append(mine / theirs)
        print(f"{route:<5} ours {mine:6.2f} ms, by hand {theirs:6.2f} ms of CPU, medians of {ROUNDS}: {ratios[-1]:.2f}")
    print(f"allowed {RATIO_MAX}")
    sys.exit(max(ratios) > RATIO_MAX)


if __name__ == "__main__":
    main()
