"""Sweeps with threads, on both stores: nothing is done twice, and neighbours at one spot cost each other only tries."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

from parking.adapters.parallel import in_parallel
from parking.domain.calendar import CalendarDay
from parking.domain.ids import SpotId
from parking.domain.notification import Notification
from parking.domain.reservation import Reservation, ReservationStatus
from parking.services.ports import Store
from parking.services.schedules import expire_holds
from parking.services.sweeping import Pace
from tests.builders import a_calendar_day, a_reservation

AT_ONCE = Pace(in_parallel)
_quiet_years = count(1930)


def _lapsed(store: Store, spots: int, holds_each: int) -> tuple[list[Reservation], datetime]:
    """Holds side by side on each spot, with their claims; and when all of them lapse."""
    year = datetime(next(_quiet_years), 1, 1, tzinfo=UTC)
    made: list[Reservation] = []
    for _ in range(spots):
        spot_id = SpotId(f"spot-{uuid4().hex}")
        starts = [year + timedelta(minutes=40 * n) for n in range(holds_each)]
        holds = [
            a_reservation(
                spot_id=spot_id,
                starts_at=start,
                ends_at=start + timedelta(minutes=30),
                booked_ends_at=start + timedelta(minutes=30),
                hold_expires_at=year,
                created_at=year,
            )
            for start in starts
        ]
        claims = tuple(hold.claim for hold in holds if hold.claim)
        store.commit(a_calendar_day(spot_id=spot_id, day=year.date(), claims=claims), *holds)
        made += holds
    return made, year


def _each_ended_once(store: Store, holds: list[Reservation]) -> None:
    for hold in holds:
        stored = store.get(Reservation, *hold.key)
        assert stored
        assert (stored.status, stored.version) == (ReservationStatus.EXPIRED, 2)
        assert len(store.page(Notification, hold.user_id, limit=10).items) == 1
        day = store.get(CalendarDay, hold.spot_id, hold.starts_at.date().isoformat())
        assert day
        assert day.claims == ()


def test_two_runs_at_once_and_a_third_later_do_everything_once(store: Store) -> None:
    holds, now = _lapsed(store, spots=8, holds_each=4)
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda _: expire_holds(store, now, AT_ONCE), range(2)))
    late = expire_holds(store, now + timedelta(days=1), AT_ONCE)
    assert [run.failures for run in (*runs, late)] == [{}, {}, {}]
    assert sum(run.moved for run in runs) == len(holds)
    assert late.moved == 0
    _each_ended_once(store, holds)


def test_all_holds_of_one_spot_lapse_in_one_run(store: Store) -> None:
    holds, now = _lapsed(store, spots=1, holds_each=30)
    swept = expire_holds(store, now, AT_ONCE)
    assert (swept.moved, swept.failures, swept.left) == (len(holds), {}, 0)
    _each_ended_once(store, holds)


def test_what_there_was_no_time_for_is_done_by_the_next_run(store: Store) -> None:
    holds, now = _lapsed(store, spots=4, holds_each=4)
    begun = count()
    first = expire_holds(store, now, Pace(in_parallel, lambda: next(begun) < 10))
    assert (first.moved, first.left) == (10, len(holds) - 10)
    second = expire_holds(store, now + timedelta(minutes=1), AT_ONCE)
    assert (second.moved, second.lag) == (len(holds) - 10, timedelta(minutes=1))
    _each_ended_once(store, holds)
