"""How a schedule goes through what is due: in time, past what fails, and beside another run of itself."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from parking.adapters.limits import DUE_BATCH
from parking.adapters.memory.store import MemoryStore
from parking.adapters.parallel import WORKERS, in_parallel
from parking.domain.due import Due, Step
from parking.services.commit import ATTEMPTS
from parking.services.ports import Conflict, DueItem, Key
from parking.services.schedules import expire_holds, finish_stays, guard_upcoming, tell_ending
from parking.services.sweeping import ONE_BY_ONE, Pace, Swept, is_due, sweep
from tests.builders import a_reservation
from tests.unit.till import Till
from tests.unit.world import ANNA, World, at


def _holds(number: int) -> MemoryStore:
    """A store with so many holds that lapse one after another from minute 0 on, a second apart."""
    store = MemoryStore()
    for n in range(number):
        store.commit(a_reservation(hold_expires_at=at(0) + timedelta(seconds=n)))
    return store


def _reached(store: MemoryStore, now: datetime, pace: Pace = ONE_BY_ONE) -> tuple[Swept, list[Key]]:
    """A run that only looks, and what it looked at."""
    reached = list[Key]()

    def look(key: Key) -> bool:
        reached.append(key)
        return True

    return sweep(store, Step.RELEASE_HOLD, now, look, pace), reached


class _Time:
    """Enough for so many items."""

    def __init__(self, items: int) -> None:
        self._items = items

    def is_left(self) -> bool:
        self._items -= 1
        return self._items >= 0


# How far a run gets


def test_everything_that_is_due_is_reached_the_longest_due_first() -> None:
    store = _holds(2 * DUE_BATCH + 1)
    swept, reached = _reached(store, at(10_000))
    keys = [item.key for batch in store.due(Step.RELEASE_HOLD, at(10_000)) for item in batch]
    assert (reached, swept.moved, swept.left) == (keys, len(keys), 0)


def test_nothing_is_begun_when_the_time_is_over_and_what_is_left_is_counted() -> None:
    store = _holds(5)
    swept, reached = _reached(store, at(10), Pace(keep_going=_Time(2).is_left))
    [batch] = store.due(Step.RELEASE_HOLD, at(10))
    assert (reached, swept.moved, swept.left) == ([item.key for item in batch[:2]], 2, 3)


def test_no_further_batch_is_read_when_the_time_is_over() -> None:
    read = list[int]()

    class Counting(MemoryStore):
        def due(self, step: Step, now: datetime) -> Iterator[list[DueItem]]:
            for n in range(3):
                read.append(n)
                yield [DueItem(at(0), ("anna", f"{n}-{m}")) for m in range(4)]

    swept, _ = _reached(Counting(), at(1), Pace(keep_going=_Time(6).is_left))
    assert (read, swept.moved, swept.left) == ([0, 1], 6, 2)


def test_a_run_without_time_does_nothing_and_says_how_late_it_is() -> None:
    swept, reached = _reached(_holds(3), at(2), Pace(keep_going=lambda: False))
    assert (reached, swept) == ([], Swept(Step.RELEASE_HOLD, lag=timedelta(minutes=2), left=3))


# How late it was


def test_the_lag_is_that_of_the_longest_due_when_the_run_began() -> None:
    assert _reached(_holds(DUE_BATCH + 5), at(60))[0].lag == timedelta(minutes=60)


def test_what_has_nothing_to_do_is_not_late() -> None:
    assert _reached(_holds(1), at(-1))[0] == Swept(Step.RELEASE_HOLD)


# What fails


def test_what_fails_keeps_nothing_behind_it_waiting() -> None:
    def odd_ones_fail(key: Key) -> bool:
        seen.append(key)
        if len(seen) % 2:
            raise LookupError(key)
        return True

    seen = list[Key]()
    swept = sweep(_holds(6), Step.RELEASE_HOLD, at(1), odd_ones_fail, ONE_BY_ONE)
    assert (swept.moved, list(swept.failures)) == (3, seen[::2])


def test_who_lost_every_race_to_the_neighbours_goes_once_more_when_they_are_done() -> None:
    tries = list[Key]()

    def contended(key: Key) -> bool:
        tries.append(key)
        if len(tries) <= ATTEMPTS:
            raise Conflict(key)
        return True

    swept = sweep(_holds(2), Step.RELEASE_HOLD, at(1), contended, ONE_BY_ONE)
    assert (swept.moved, swept.failures) == (2, {})
    assert tries[-1] == tries[0] != tries[ATTEMPTS]


def test_what_loses_its_races_for_ever_is_a_failure() -> None:
    def lost(key: Key) -> bool:
        raise Conflict(key)

    swept = sweep(_holds(1), Step.RELEASE_HOLD, at(1), lost, ONE_BY_ONE)
    assert [type(failure).__name__ for failure in swept.failures.values()] == ["Busy"]


# What is not due any more


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        (None, False),
        (Due(at(10), Step.GUARD), True),
        (Due(at(9), Step.GUARD), True),
        (Due(at(10) + timedelta(microseconds=1), Step.GUARD), False),
        (Due(at(9), Step.FINISH), False),
    ],
)
def test_an_item_is_due_for_its_next_step_from_its_instant_on(due: Due | None, expected: bool) -> None:
    assert is_due(due, Step.GUARD, at(10)) is expected


def test_what_the_index_still_names_is_left_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stay = world.booked(ANNA)
    world.device_reports(45)
    world.tick(45)
    before, blocker = world.stored(stay), world.blocker
    monkeypatch.setattr(world.store, "due", lambda _, now: iter([[DueItem(now, stay.key)]]))
    world.device_reports(45.1)
    for run in (expire_holds, tell_ending, finish_stays):
        assert run(world.store, at(45.5)).moved == 0
    assert guard_upcoming(world.store, world.shadows, at(45.5), print).moved == 0
    assert world.stored(stay) == before
    assert world.blocker.command == blocker.command


# Two runs at once

Run = Callable[[Till, float], Swept]
RUNS: dict[str, tuple[Callable[[Till], object], float, Run]] = {
    "expire_holds": (lambda till: till.reserve(ANNA), 10, lambda till, now: expire_holds(till.store, at(now))),
    "tell_ending": (lambda till: till.active(ANNA), 150, lambda till, now: tell_ending(till.store, at(now))),
    "finish_stays": (lambda till: (till.active(ANNA), tell_ending(till.store, at(150))), 180,
                     lambda till, now: finish_stays(till.store, at(now))),
    "guard_upcoming": (lambda till: till.booked(ANNA), 45,
                       lambda till, now: guard_upcoming(till.store, till.shadows, at(now), print)),
    "settle_due": (lambda till: till.pay_by_card(till.reserve(ANNA), now=0), 5, lambda till, now: till.look(now)),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_a_second_run_in_the_middle_of_the_first_does_no_harm(till: Till, name: str) -> None:
    prepare, now, run = RUNS[name]
    prepare(till)
    seconds = list[Swept]()
    till.store.meanwhile(lambda: seconds.append(run(till, now)))
    first = run(till, now)
    [second] = seconds
    assert (first.failures, second.failures) == ({}, {})
    assert (first.moved, second.moved) in {(0, 1), (1, 1)} if name == "settle_due" else {(0, 1)}
    assert run(till, now).moved == 0
    assert len(till.told(ANNA)) == len(set(till.told(ANNA)))


# Threads


def test_threads_really_run_at_once_and_answer_in_order() -> None:
    everybody = threading.Barrier(WORKERS)

    def wait(n: int) -> int:
        everybody.wait(timeout=30)
        return n

    assert in_parallel(wait, range(WORKERS)) == list(range(WORKERS))


def test_no_thread_outlives_the_call_whatever_is_raised() -> None:
    before, running = threading.active_count(), threading.Barrier(2)

    def one_fails(n: int) -> None:
        running.wait(timeout=30)
        if n == 0:
            raise LookupError(n)
        threading.Event().wait(0.05)  # still at work when the other has failed

    with pytest.raises(LookupError, match="0"):
        in_parallel(one_fails, range(2))
    assert threading.active_count() == before


def test_a_run_has_fewer_threads_than_a_commit_has_tries() -> None:
    assert WORKERS < ATTEMPTS
