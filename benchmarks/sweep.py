"""A sweep costs what is due, not what is open: `make bench-sweep`.

The same 200 holds that lapse in one minute, among 1,000 and among 100,000 open reservations, swept by the real service
and store on MiniStack. The others wait in the same shards of the same index, half of them for the same step. The units
are DynamoDB's (benchmarks/metered.py); the milliseconds are the emulator's. One item after another, because a race that
threads lose costs another read, and the comparison is to be of the same reads.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from benchmarks.metered import Meter, fill, metered
from parking.adapters.dynamodb.store import DynamoStore
from parking.domain.calendar import CalendarDay
from parking.domain.ids import ReservationId, SpotId, UserId
from parking.domain.reservation import Reservation, ReservationStatus
from parking.services.schedules import expire_holds
from tests.builders import NOW, a_reservation
from tests.contract.emulators import create_tables, running_aws

FEW, MANY = 1_000, 100_000
DUE = 200
RATIO_MAX = 1.2
LAPSED = NOW + timedelta(minutes=10)


def _open(number: int) -> Iterator[Reservation]:
    """So many open reservations, each of a driver and a spot of its own: 200 holds that lapse, the others later."""
    hold = a_reservation(hold_expires_at=LAPSED)
    for n in range(number):
        one = replace(
            hold,
            user_id=UserId(f"driver-{n:06d}"),
            reservation_id=ReservationId(f"res_{n:06d}"),
            spot_id=SpotId(f"spot-{n:06d}"),
        )
        if n < DUE:
            yield one
        elif n % 2:
            yield replace(one, hold_expires_at=LAPSED + timedelta(seconds=1 + n % 600))
        else:
            yield replace(one, status=ReservationStatus.CONFIRMED, guard_due_at=LAPSED + timedelta(seconds=1 + n % 600))


def _built(number: int) -> DynamoStore:
    """A store with so many open reservations, and the claims of those that are due."""
    tables = create_tables()
    fill(tables.reservations, Reservation, _open(number))
    days = [CalendarDay(one.spot_id, one.starts_at.date(), (one.claim,)) for one in _open(DUE) if one.claim]
    fill(tables.calendars, CalendarDay, days)
    return DynamoStore(tables)


def _measured(store: DynamoStore, expected: int) -> tuple[Meter, float]:
    """What a run reads, and how long it takes in seconds."""
    began = time.perf_counter()
    with metered(store) as meter:
        swept = expire_holds(store, LAPSED)
    if (swept.moved, swept.failures) != (expected, {}):
        raise RuntimeError(f"{swept.moved} holds moved, {swept.failures}")
    return meter, time.perf_counter() - began


def _row(name: str, open_now: int, meter: Meter, seconds: float) -> str:
    counted = f"{meter.queries:>8} {meter.gets:>6} {meter.items:>6} {meter.units:>7.1f} {meter.emulator_units:>9.1f}"
    return f"{name:<28} {open_now:>8,} {counted} {seconds * 1000:>7.0f}"


def _compared() -> float:
    """Print the runs in both; the largest ratio, by DynamoDB's rule or by what the emulator says."""
    began = time.perf_counter()
    few, many = _built(FEW), _built(MANY)
    print(f"filled in {time.perf_counter() - began:.0f} s\n")
    print(
        f"{'run':<28} {'open':>8} {'queries':>8} {'gets':>6} {'items':>6} {'units':>7} {'MiniStack':>9} {'ms':>7}"
        "   ratio of units, by MiniStack"
    )
    worst = 0.0
    for name, expected in ((f"{DUE} holds lapse", DUE), ("nothing is due", 0)):
        among_few, among_many = _measured(few, expected), _measured(many, expected)
        ratio = among_many[0].units / among_few[0].units
        by_emulator = among_many[0].emulator_units / among_few[0].emulator_units
        worst = max(worst, ratio, by_emulator)
        print(_row(name, FEW, *among_few))
        print(f"{_row(name, MANY, *among_many)}   {ratio:.2f}, {by_emulator:.2f}")
    return worst


def main() -> None:
    """Exit 1 if a run costs more than 1.2 times as much among 100 times as many open reservations."""
    with tempfile.TemporaryDirectory() as logs, running_aws(Path(logs)) as aws:
        os.environ.update(aws.variables)
        worst = _compared()
    print(f"\nworst ratio {worst:.2f}, allowed {RATIO_MAX}")
    sys.exit(worst > RATIO_MAX)


if __name__ == "__main__":
    main()
