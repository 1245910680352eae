"""A blocker's health: what silence, presence, answers and reports make of it, and when to look again."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from parking.domain.blocker import (
    Blocker,
    Command,
    CommandStatus,
    Connectivity,
    Occupancy,
    Position,
    RejectReason,
    Report,
    Result,
    Wanted,
    receive,
    steer,
)
from parking.domain.due import Due, Step
from parking.domain.health import NEVER_SEEN, Condition, Health, Symptom, Watch
from parking.domain.watching import (
    CHARGED_PERCENT,
    LOW_BATTERY_PERCENT,
    MISSING_AFTER,
    PATIENCE,
    SILENT_AFTER,
    conditions_at,
    health_at,
    looked_at,
    watched,
)
from tests.builders import NOW, a_blocker, a_command, a_report

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)
ON, OFF = Connectivity.ONLINE, Connectivity.OFFLINE
S = CommandStatus
DOWN, UP = Wanted(Position.LOWERED), Wanted(Position.RAISED)


def hearing(report: Report, at: datetime = NOW) -> Blocker:
    """A connected blocker with this report."""
    return a_blocker(report=replace(report, received_at=at), presence_at=NOW - MINUTE)


@pytest.mark.parametrize(
    ("blocker", "age", "health"),
    [
        (a_blocker(), timedelta(0), Health.ONLINE),
        (a_blocker(), SILENT_AFTER - INSTANT, Health.ONLINE),
        (a_blocker(), SILENT_AFTER, Health.SUSPECT),
        (a_blocker(), MISSING_AFTER - INSTANT, Health.SUSPECT),
        (a_blocker(), MISSING_AFTER, Health.MISSING),
        (a_blocker(report=None), SILENT_AFTER - INSTANT, Health.ONLINE),  # it has just connected
        (a_blocker(report=None), SILENT_AFTER, Health.SUSPECT),
        (a_blocker(connectivity=OFF), timedelta(0), Health.OFFLINE),
        (a_blocker(connectivity=OFF), MISSING_AFTER - INSTANT, Health.OFFLINE),
        (a_blocker(connectivity=OFF), MISSING_AFTER, Health.MISSING),
        (a_blocker(connectivity=OFF, presence_at=NOW + 9 * MINUTE), MISSING_AFTER, Health.OFFLINE),
        (a_blocker(connectivity=OFF, presence_at=None, report=None), timedelta(0), Health.MISSING),
    ],
)
def test_health_follows_presence_and_the_last_sign_of_life(blocker: Blocker, age: timedelta, health: Health) -> None:
    assert health_at(blocker, NOW + age) is health


def given(*statuses: CommandStatus, since: datetime = NOW) -> tuple[Command, ...]:
    """Commands a minute apart, which came to this."""
    return tuple(a_command(created_at=since + n * MINUTE, status=status) for n, status in enumerate(statuses, start=1))


@pytest.mark.parametrize(
    ("commands", "health"),
    [
        (given(S.TIMED_OUT), Health.ONLINE),  # one is bad luck
        (given(S.TIMED_OUT, S.TIMED_OUT), Health.SUSPECT),
        (given(S.TIMED_OUT, S.TIMED_OUT, S.PENDING), Health.SUSPECT),
        (given(S.TIMED_OUT, S.SUPERSEDED, S.TIMED_OUT), Health.SUSPECT),  # nobody waited for the one in between
        (given(S.TIMED_OUT, S.SUCCEEDED, S.TIMED_OUT), Health.ONLINE),
        (given(S.TIMED_OUT, S.TIMED_OUT, S.REJECTED), Health.ONLINE),  # a refusal is an answer
        (given(S.TIMED_OUT, S.TIMED_OUT, since=NOW - timedelta(hours=1)), Health.ONLINE),  # it was offline then
    ],
)
def test_who_reports_and_leaves_commands_unanswered_is_suspect(commands: tuple[Command, ...], health: Health) -> None:
    blocker = a_blocker(history=commands[:-1], command=commands[-1], presence_at=NOW, report=a_report())
    assert health_at(blocker, NOW + 5 * MINUTE) is health


def test_a_late_answer_takes_the_suspicion_away() -> None:
    first, second = given(S.TIMED_OUT, S.TIMED_OUT)
    blocker = a_blocker(history=(first,), command=second)
    answer = a_report(command_id=second.command_id, result=Result.DONE, received_at=NOW + 6 * MINUTE)
    assert health_at(blocker, NOW + 6 * MINUTE) is Health.SUSPECT
    assert health_at(receive(blocker, answer, 2), NOW + 6 * MINUTE) is Health.ONLINE


STUCK = a_report(position=Position.UNKNOWN)
SYMPTOMS = {
    Condition.LOW_BATTERY: (a_report(battery_percent=LOW_BATTERY_PERCENT - 1), DOWN),
    Condition.TAMPER: (a_report(tamper=True), DOWN),
    Condition.LEFT_OPEN: (a_report(position=Position.LOWERED), UP),
    Condition.JAMMED: (STUCK, DOWN),
    Condition.SENSOR_FAULT: (a_report(occupancy=Occupancy.UNKNOWN), DOWN),
}


@pytest.mark.parametrize("condition", Condition)
def test_a_condition_begins_when_its_symptom_has_lasted_and_ends_with_it(condition: Condition) -> None:
    report, wanted = SYMPTOMS[condition]
    ill = watched(hearing(report), wanted, NOW)
    assert ill.watch.symptoms == (Symptom(condition, NOW),)
    lasts = PATIENCE[condition]
    assert conditions_at(ill, NOW + lasts) == {condition}
    assert not lasts or conditions_at(ill, NOW + lasts - INSTANT) == set()
    still = watched(replace(ill, report=replace(report, received_at=NOW + lasts)), wanted, NOW + lasts)
    assert still.watch.symptoms == ill.watch.symptoms
    well = watched(replace(still, report=a_report(received_at=NOW + lasts + MINUTE)), DOWN, NOW + lasts + MINUTE)
    assert well.watch.symptoms == ()
    assert conditions_at(well, NOW + lasts + MINUTE) == set()


@pytest.mark.parametrize(
    ("report", "wanted"),
    [
        (a_report(), DOWN),
        (a_report(battery_percent=LOW_BATTERY_PERCENT), DOWN),
        (a_report(battery_percent=None), DOWN),
        (a_report(position=Position.LOWERED, occupancy=Occupancy.OCCUPIED), UP),  # a car is no failure of ours
        (a_report(position=Position.MOVING), UP),
        (a_report(position=Position.RAISED), UP),
    ],
)
def test_a_machine_that_is_well_shows_nothing(report: Report, wanted: Wanted) -> None:
    assert watched(hearing(report), wanted, NOW).watch.symptoms == ()


def test_a_barrier_is_not_left_open_where_nobody_hears_of_it() -> None:
    """Silence has a word of its own, and what the last report said is no longer true."""
    report, wanted = SYMPTOMS[Condition.LEFT_OPEN]
    assert watched(replace(hearing(report), connectivity=OFF), wanted, NOW).watch.symptoms == ()


def test_a_battery_that_trembles_around_the_limit_is_told_once() -> None:
    blocker, told = hearing(a_report(battery_percent=19)), 0
    for minute, percent in enumerate((19, 20, 19, CHARGED_PERCENT - 1, 19, CHARGED_PERCENT, 20, 19)):
        at = NOW + minute * MINUTE
        blocker = watched(replace(blocker, report=a_report(battery_percent=percent, received_at=at)), DOWN, at)
        before, blocker = blocker, looked_at(blocker, at)
        told += blocker.watch.conditions > before.watch.conditions
    assert told == 2  # at the first, and again after it had been charged


def test_two_obstructions_in_a_row_are_a_jam_until_the_motor_has_done_a_command() -> None:
    blocker, at = a_blocker(report=a_report(position=Position.LOWERED)), NOW
    for minute, reason in ((0, RejectReason.OBSTRUCTED), (5, RejectReason.OBSTRUCTED), (15, None)):
        at = NOW + minute * MINUTE
        blocker = steer(replace(blocker, report=a_report(received_at=at)), UP, at)
        command = blocker.command
        assert command is not None
        result = Result.REJECTED if reason else Result.DONE
        said = a_report(command_id=command.command_id, result=result, reason=reason, received_at=at + SECOND)
        blocker = watched(receive(blocker, said, blocker.shadow_version + 1), DOWN, at + SECOND)
        jammed = Condition.JAMMED in {one.condition for one in blocker.watch.symptoms}
        assert jammed is (minute == 5)


# When to look


def due(blocker: Blocker) -> datetime | None:
    """When the schedule looks."""
    return blocker.due.at if blocker.due else None


@pytest.mark.parametrize(
    ("blocker", "at"),
    [
        (a_blocker(), NOW + SILENT_AFTER),
        (a_blocker(connectivity=OFF), NOW + MISSING_AFTER),
        (
            a_blocker(report=a_report(received_at=NOW - SILENT_AFTER), presence_at=None),
            NOW + MISSING_AFTER - SILENT_AFTER,
        ),
        (a_blocker(connectivity=OFF, presence_at=None, report=None), None),
        (a_blocker(command=a_command()), NOW + timedelta(minutes=2)),
        (hearing(a_report(occupancy=Occupancy.UNKNOWN)), NOW + SILENT_AFTER),
        (hearing(STUCK), NOW + PATIENCE[Condition.JAMMED]),
    ],
)
def test_the_next_look_is_when_time_alone_may_change_something(blocker: Blocker, at: datetime | None) -> None:
    told = looked_at(watched(blocker, DOWN, NOW), NOW)
    assert due(told) == at
    assert told.due == (Due(at, Step.WATCH) if at else None)


def test_what_operators_do_not_know_yet_is_due_at_once_and_told_once() -> None:
    seen = watched(a_blocker(), DOWN, NOW)
    assert (seen.watch.health, due(seen)) == (Health.MISSING, NOW)
    told = looked_at(seen, NOW + SECOND)
    assert (told.watch.health, told.watch.told_at) == (Health.ONLINE, NOW + SECOND)
    assert looked_at(told, NOW + 2 * SECOND) == told


def test_silence_is_told_when_it_is_looked_at() -> None:
    told = looked_at(watched(a_blocker(), DOWN, NOW), NOW)
    silent = looked_at(told, NOW + SILENT_AFTER)
    assert (silent.watch.health, due(silent)) == (Health.SUSPECT, NOW + MISSING_AFTER)
    missing = looked_at(silent, NOW + MISSING_AFTER)
    assert (missing.watch.health, missing.due) == (Health.MISSING, None)


def test_what_has_come_and_gone_before_the_look_is_not_told() -> None:
    told = looked_at(watched(a_blocker(), DOWN, NOW), NOW)
    gone = watched(replace(told, connectivity=OFF, presence_at=NOW + SECOND), DOWN, NOW + SECOND)
    assert due(gone) == NOW + SECOND
    back = watched(replace(gone, connectivity=ON, presence_at=NOW + 9 * SECOND), DOWN, NOW + 9 * SECOND)
    looked = looked_at(back, NOW + MINUTE)
    assert (looked.watch.health, looked.watch.told_at) == (told.watch.health, told.watch.told_at)


def test_a_late_trigger_takes_nothing_back_that_was_told() -> None:
    suspect = looked_at(looked_at(watched(a_blocker(), DOWN, NOW), NOW), NOW + SILENT_AFTER)
    for late in (NOW, NOW + SILENT_AFTER - MINUTE):
        assert looked_at(watched(suspect, DOWN, late), late) == suspect


def heartbeats(minutes: int) -> Iterator[tuple[datetime, Report]]:
    """A healthy day: a report every five minutes, a second late each time."""
    for n in range(minutes // 5):
        at = NOW + n * timedelta(minutes=5, seconds=1)
        yield at, a_report(received_at=at)


def test_a_healthy_blocker_is_never_looked_at_and_moves_its_entry_with_every_second_heartbeat() -> None:
    """The index costs two units of write for each move: some 290 a blocker and day, not 580."""
    blocker, moves, heard = looked_at(watched(a_blocker(), DOWN, NOW), NOW), 0, 0
    for at, report in heartbeats(24 * 60):
        before = due(blocker)
        assert before is not None
        assert before > at
        blocker = watched(replace(blocker, report=report), DOWN, at)
        moves += due(blocker) != before
        heard += 1
        latest = due(blocker)
        assert latest is not None
        assert latest <= at + SILENT_AFTER
    assert heard == 288
    assert moves <= heard / 2 + 1


def test_a_blocker_that_was_never_seen_is_missing_and_waits_for_nothing() -> None:
    new = Blocker(blocker_id=a_blocker().blocker_id, spot_id=a_blocker().spot_id)
    assert new.watch == NEVER_SEEN == Watch()
    assert (new.due, health_at(new, NOW)) == (None, Health.MISSING)
    assert looked_at(watched(new, DOWN, NOW), NOW) == new
