"""What the blocker makes of reports and presence, which come twice, late and out of order."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking.domain.blocker import (
    REPORT_FRESH_FOR,
    Blocker,
    CommandStatus,
    Connectivity,
    Occupancy,
    Position,
    RejectReason,
    Result,
    receive,
    see_presence,
)
from parking.domain.ids import CommandId
from tests.builders import NOW, a_blocker, a_command, a_report

SECOND = timedelta(seconds=1)
ON, OFF = Connectivity.ONLINE, Connectivity.OFFLINE
COMMAND = a_command(command_id=CommandId("cmd_raise"))
WAITING = a_blocker(command=COMMAND, shadow_version=5)
DONE = a_report(command_id=COMMAND.command_id, result=Result.DONE, position=Position.RAISED, received_at=NOW + SECOND)


@pytest.mark.parametrize("version", [1, 4, 5])
def test_a_document_that_is_not_newer_than_the_last_changes_nothing(version: int) -> None:
    assert receive(WAITING, DONE, version) == WAITING


def test_a_newer_document_is_the_last_report() -> None:
    heard = receive(WAITING, DONE, 9)
    assert (heard.report, heard.shadow_version, heard.position) == (DONE, 9, Position.RAISED)


def test_a_doubled_report_changes_nothing_more() -> None:
    heard = receive(WAITING, DONE, 6)
    assert receive(heard, DONE, 6) == heard
    assert receive(heard, DONE, 7) == replace(heard, shadow_version=7)


@pytest.mark.parametrize(
    ("before", "result", "after"),
    [
        (CommandStatus.PENDING, Result.DONE, CommandStatus.SUCCEEDED),
        (CommandStatus.PENDING, Result.REJECTED, CommandStatus.REJECTED),
        (CommandStatus.PENDING, None, CommandStatus.PENDING),
        (CommandStatus.TIMED_OUT, Result.DONE, CommandStatus.SUCCEEDED),
        (CommandStatus.TIMED_OUT, Result.REJECTED, CommandStatus.REJECTED),
        (CommandStatus.TIMED_OUT, None, CommandStatus.TIMED_OUT),
        (CommandStatus.SUCCEEDED, Result.REJECTED, CommandStatus.SUCCEEDED),
        (CommandStatus.REJECTED, Result.DONE, CommandStatus.REJECTED),
        (CommandStatus.SUPERSEDED, Result.DONE, CommandStatus.SUPERSEDED),
    ],
)
def test_a_commands_end_is_the_devices_first_answer_even_after_a_timeout(
    before: CommandStatus, result: Result | None, after: CommandStatus
) -> None:
    blocker = replace(WAITING, command=replace(COMMAND, status=before))
    heard = receive(blocker, replace(DONE, result=result), 6)
    assert heard.command is not None
    assert heard.command.status is after
    assert heard.report is not None


def test_a_refusal_says_why_and_when() -> None:
    refusal = replace(DONE, result=Result.REJECTED, reason=RejectReason.OCCUPIED, position=Position.LOWERED)
    command = receive(WAITING, refusal, 6).command
    assert command is not None
    assert (command.reason, command.ended_at) == (RejectReason.OCCUPIED, NOW + SECOND)


@pytest.mark.parametrize("named", [None, CommandId("cmd_older")])
def test_an_answer_to_another_command_ends_nothing(named: CommandId | None) -> None:
    heard = receive(WAITING, replace(DONE, command_id=named), 6)
    assert heard.command == COMMAND
    assert not heard.acknowledged


def test_a_command_is_acknowledged_once_the_device_names_it() -> None:
    assert not WAITING.acknowledged
    moving = replace(DONE, result=None, position=Position.MOVING)
    assert receive(WAITING, moving, 6).acknowledged


@pytest.mark.parametrize(
    ("connectivity", "age", "seen"),
    [
        (ON, timedelta(0), Occupancy.VACANT),
        (ON, REPORT_FRESH_FOR, Occupancy.VACANT),
        (ON, REPORT_FRESH_FOR + SECOND, Occupancy.UNKNOWN),
        (OFF, timedelta(0), Occupancy.UNKNOWN),
    ],
)
def test_occupancy_is_known_from_a_fresh_report_of_a_connected_device_only(
    connectivity: Connectivity, age: timedelta, seen: Occupancy
) -> None:
    blocker = a_blocker(connectivity=connectivity, report=a_report(received_at=NOW))
    assert blocker.occupancy(NOW + age) is seen


@pytest.mark.parametrize("occupancy", Occupancy)
def test_a_barrier_may_rise_only_where_the_sensor_sees_nothing(occupancy: Occupancy) -> None:
    blocker = a_blocker(report=a_report(occupancy=occupancy))
    assert blocker.may_raise(NOW) is (occupancy is Occupancy.VACANT)


def test_a_blocker_that_never_reported_knows_nothing() -> None:
    silent = a_blocker(report=None, command=None)
    assert (silent.position, silent.occupancy(NOW)) == (Position.UNKNOWN, Occupancy.UNKNOWN)
    assert not silent.may_raise(NOW)


@pytest.mark.parametrize(
    ("known", "news", "expected"),
    [
        ((ON, 10, 3), (OFF, 11, 3), OFF),
        ((ON, 10, 3), (OFF, 9, 3), OFF),  # a session ends after it began, whatever the clocks say
        ((ON, 10, 3), (OFF, 11, 2), ON),  # an older session's end
        ((OFF, 10, 3), (ON, 11, 3), OFF),  # the connect of the session that has ended
        ((OFF, 10, 3), (ON, 9, 4), ON),  # the next session, by a clock that runs behind
        ((OFF, 10, 0), (ON, 11, 1), ON),
    ],
)
def test_presence_is_ordered_by_version_and_time(
    known: tuple[Connectivity, int, int], news: tuple[Connectivity, int, int], expected: Connectivity
) -> None:
    blocker = a_blocker(connectivity=known[0], presence_at=NOW + known[1] * SECOND, presence_version=known[2])
    after = see_presence(blocker, news[0], NOW + news[1] * SECOND, news[2])
    assert after.connectivity is expected
    assert see_presence(after, news[0], NOW + news[1] * SECOND, news[2]) == after


def test_who_reports_is_connected_even_if_the_connect_event_was_lost() -> None:
    offline = a_blocker(connectivity=OFF, presence_at=NOW)
    assert receive(offline, a_report(received_at=NOW + SECOND), 2).connectivity is ON
    assert receive(offline, a_report(received_at=NOW), 2).connectivity is OFF


HOUR = timedelta(hours=1)


def test_versions_begin_again_at_zero_when_a_device_was_away_for_an_hour() -> None:
    """AWS IoT, "Lifecycle events": the version is reset after about an hour without a connection."""
    away = a_blocker(connectivity=OFF, presence_at=NOW, presence_version=7)
    back = see_presence(away, ON, NOW + 2 * HOUR, 0)
    assert back.connectivity is ON
    assert see_presence(back, OFF, NOW + 3 * HOUR, 0).connectivity is OFF


@pytest.mark.parametrize("lost_after", [timedelta(minutes=10), HOUR])
def test_a_device_that_reported_before_the_first_connect_of_a_new_count_can_still_be_lost(
    lost_after: timedelta,
) -> None:
    away, back_at = a_blocker(connectivity=OFF, presence_at=NOW, presence_version=7), NOW + 2 * HOUR
    heard = receive(away, a_report(received_at=back_at), 2)
    connected = see_presence(heard, ON, back_at - SECOND, 0)
    assert connected.connectivity is ON
    assert see_presence(connected, OFF, back_at + lost_after, 0).connectivity is OFF


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.booleans(), st.data())
def test_reports_and_presence_in_any_order_and_doubled_tell_one_story(
    reports_by_session: list[int], still_connected: bool, data: st.DataObject
) -> None:
    """Sessions follow each other: connect, some reports, disconnect, of which the last may not have come yet."""
    news, at, shadow_version = list[tuple[str, datetime, int]](), NOW, 1
    for number, reports in enumerate(reports_by_session, start=1):
        at += SECOND
        news.append(("connect", at, number))
        for _ in range(reports):
            at, shadow_version = at + SECOND, shadow_version + 1
            news.append(("report", at, shadow_version))
        at += SECOND
        if number < len(reports_by_session) or not still_connected:
            news.append(("disconnect", at, number))
    doubled = data.draw(st.permutations(news + data.draw(st.lists(st.sampled_from(news), max_size=4))))
    blocker = a_blocker(connectivity=OFF, presence_at=None, presence_version=0, report=None)
    for kind, when, version in doubled:
        blocker = _told(blocker, kind, when, version)
    assert blocker.connectivity is (ON if still_connected else OFF)
    assert blocker.shadow_version == shadow_version


def _told(blocker: Blocker, kind: str, at: datetime, version: int) -> Blocker:
    if kind == "report":
        return receive(blocker, a_report(received_at=at), version)
    return see_presence(blocker, ON if kind == "connect" else OFF, at, version)


def test_an_older_connection_that_ends_late_does_not_end_the_one_that_a_report_has_shown() -> None:
    """Found by the simulation: its end is noticed, and stamped, only when the keep-alive has run out."""
    lost = a_blocker(connectivity=OFF, presence_at=NOW, presence_version=1)
    back = receive(lost, a_report(received_at=NOW + 20 * SECOND), 2)
    assert see_presence(back, OFF, NOW + 40 * SECOND, 0).connectivity is ON
    assert see_presence(back, OFF, NOW, 1).connectivity is ON
    assert see_presence(back, OFF, NOW + 40 * SECOND, 2).connectivity is OFF
