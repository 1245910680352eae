"""Which command the blocker needs now: level, not edge."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking.domain.blocker import (
    COMMAND_LIFETIME,
    HISTORY_LENGTH,
    RETRY_AFTER,
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
from parking.domain.ids import ReservationId, UserId
from tests.builders import NOW, a_blocker, a_report

SECOND = timedelta(seconds=1)
RAISED, LOWERED = Position.RAISED, Position.LOWERED
ANNAS = (UserId("anna"), ReservationId("res_a"))
IDLE = Wanted(LOWERED)
GUARD = Wanted(RAISED, *ANNAS)
LET_IN = Wanted(LOWERED, *ANNAS, NOW + 60 * SECOND)
REST = a_blocker(report=a_report(position=LOWERED))  # down, vacant, connected
UP = a_blocker(report=a_report(position=RAISED))


def commanded(blocker: Blocker) -> Command:
    """The current command."""
    if blocker.command is None:
        pytest.fail("the blocker was told nothing")
    return blocker.command


def answered(blocker: Blocker, result: Result, seconds: float, position: Position | None = None) -> Blocker:
    """The blocker after the device answered its command, so many seconds after NOW."""
    command = commanded(blocker)
    report = a_report(
        command_id=command.command_id,
        result=result,
        position=position or (command.position if result is Result.DONE else blocker.position),
        received_at=NOW + seconds * SECOND,
    )
    return receive(blocker, report, blocker.shadow_version + 1)


@pytest.mark.parametrize(
    ("blocker", "wanted", "command"),
    [
        (REST, IDLE, None),
        (UP, IDLE, LOWERED),
        (REST, GUARD, RAISED),
        (UP, GUARD, RAISED),  # so does a guard: the answer is the evidence that it stands for this stay
        (UP, LET_IN, LOWERED),
        (REST, LET_IN, LOWERED),  # an arrival wants an answer even where the barrier is down
        (REST, Wanted(LOWERED, *ANNAS), None),
        (a_blocker(report=a_report(position=Position.MOVING)), IDLE, LOWERED),
        (a_blocker(report=a_report(position=Position.UNKNOWN)), GUARD, RAISED),
        (a_blocker(report=None), IDLE, LOWERED),
        (a_blocker(report=None), GUARD, None),
        (a_blocker(report=a_report(occupancy=Occupancy.OCCUPIED)), GUARD, None),
        (a_blocker(report=a_report(occupancy=Occupancy.UNKNOWN)), GUARD, None),
        (a_blocker(connectivity=Connectivity.OFFLINE), GUARD, None),
        (a_blocker(report=a_report(received_at=NOW - timedelta(minutes=16))), GUARD, None),
        (replace(UP, connectivity=Connectivity.OFFLINE), LET_IN, LOWERED),
        (a_blocker(report=a_report(position=RAISED, occupancy=Occupancy.OCCUPIED)), LET_IN, LOWERED),
    ],
)
def test_a_command_is_given_where_the_barrier_is_not_where_it_should_be(
    blocker: Blocker, wanted: Wanted, command: Position | None
) -> None:
    steered = steer(blocker, wanted, NOW)
    if command is None:
        assert steered == blocker
    else:
        given_now = commanded(steered)
        assert (given_now.position, given_now.status) == (command, CommandStatus.PENDING)
        assert (given_now.user_id, given_now.reservation_id) == (wanted.user_id, wanted.reservation_id)
        assert given_now.expires_at == given_now.created_at + COMMAND_LIFETIME


def test_a_command_that_is_on_its_way_is_not_given_again() -> None:
    told = steer(REST, GUARD, NOW)
    assert steer(told, GUARD, NOW + COMMAND_LIFETIME - SECOND) == told


def test_a_wish_that_changes_supersedes_the_command_on_its_way() -> None:
    told = steer(REST, GUARD, NOW)
    recalled = steer(told, IDLE, NOW + SECOND)
    assert commanded(recalled).position is LOWERED
    assert [c.status for c in recalled.history] == [CommandStatus.SUPERSEDED]
    assert recalled.history[0].command_id != commanded(recalled).command_id


def test_a_raise_that_has_become_unsafe_is_not_followed_by_another() -> None:
    told = steer(REST, GUARD, NOW)
    occupied = receive(told, a_report(occupancy=Occupancy.OCCUPIED, received_at=NOW), told.shadow_version + 1)
    other = Wanted(RAISED, UserId("boris"), ReservationId("res_b"))
    assert steer(occupied, other, NOW + SECOND) == occupied
    timed_out = steer(occupied, other, NOW + COMMAND_LIFETIME)
    assert commanded(timed_out).status is CommandStatus.TIMED_OUT


def test_a_command_times_out_at_its_expiry_and_is_tried_again() -> None:
    told = steer(REST, GUARD, NOW)
    again = steer(told, GUARD, NOW + COMMAND_LIFETIME)
    assert [c.status for c in again.history] == [CommandStatus.TIMED_OUT]
    assert commanded(again).command_id != commanded(told).command_id
    assert commanded(again).created_at == NOW + COMMAND_LIFETIME


def test_a_refused_command_is_tried_again_only_after_a_while() -> None:
    refused = answered(steer(REST, GUARD, NOW), Result.REJECTED, 5)
    just_before = NOW + RETRY_AFTER - timedelta(microseconds=1)
    assert steer(refused, GUARD, just_before) == refused
    assert commanded(steer(refused, GUARD, NOW + RETRY_AFTER)).status is CommandStatus.PENDING


def test_a_motor_that_runs_against_a_stone_is_given_longer_and_longer_rests() -> None:
    blocker, at, rests = REST, NOW, list[timedelta]()
    for _ in range(7):
        blocker = steer(blocker, GUARD, at)
        command = commanded(blocker)
        jammed = a_report(
            command_id=command.command_id, result=Result.REJECTED, reason=RejectReason.OBSTRUCTED, received_at=at
        )
        blocker = receive(blocker, jammed, blocker.shadow_version + 1)
        started = at
        while commanded(steer(blocker, GUARD, at)).command_id == command.command_id:
            at += 15 * SECOND
            blocker = replace(blocker, report=replace(jammed, received_at=at))
        rests.append(at - started)
    assert rests == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 8, 8, 8)]


def test_what_the_motor_met_before_a_driver_came_does_not_keep_the_driver_waiting() -> None:
    blocker, at = REST, NOW
    for _ in range(4):
        blocker = steer(blocker, GUARD, at)
        jammed = a_report(
            command_id=commanded(blocker).command_id,
            result=Result.REJECTED,
            reason=RejectReason.OBSTRUCTED,
            received_at=at,
        )
        blocker = receive(blocker, jammed, blocker.shadow_version + 1)
        at += timedelta(minutes=9)
        blocker = replace(blocker, report=replace(jammed, received_at=at))
    let_in = replace(LET_IN, reported_after=at)
    first = steer(blocker, let_in, at)
    refused = replace(jammed, command_id=commanded(first).command_id, received_at=at)
    again = receive(first, refused, first.shadow_version + 1)
    assert steer(again, let_in, at + 59 * SECOND) == again
    assert commanded(steer(again, let_in, at + 60 * SECOND)).status is CommandStatus.PENDING


def test_a_blocker_that_is_made_anew_uses_no_command_id_again() -> None:
    first = commanded(steer(REST, GUARD, NOW))
    assert commanded(steer(REST, GUARD, NOW + SECOND)).command_id != first.command_id
    assert commanded(steer(REST, GUARD, NOW)).command_id == first.command_id


def test_a_barrier_that_left_its_place_by_hand_is_brought_back_after_a_while() -> None:
    done = answered(steer(REST, GUARD, NOW), Result.DONE, 5)
    pushed_down = receive(done, a_report(position=LOWERED, received_at=NOW + 10 * SECOND), done.shadow_version + 1)
    assert steer(pushed_down, GUARD, NOW + 20 * SECOND) == pushed_down
    assert commanded(steer(pushed_down, GUARD, NOW + RETRY_AFTER)).status is CommandStatus.PENDING


def test_a_done_command_needs_no_other() -> None:
    done = answered(steer(REST, GUARD, NOW), Result.DONE, 5)
    assert steer(done, GUARD, NOW + timedelta(minutes=10)) == done
    let_in = answered(steer(done, LET_IN, NOW + 61 * SECOND), Result.DONE, 65)
    assert steer(let_in, LET_IN, NOW + 70 * SECOND) == let_in
    assert steer(let_in, Wanted(LOWERED, *ANNAS), NOW + 70 * SECOND) == let_in
    assert steer(let_in, IDLE, NOW + 70 * SECOND) == let_in


def test_an_answer_from_before_the_arrival_does_not_count() -> None:
    early = answered(steer(UP, Wanted(LOWERED, *ANNAS), NOW), Result.DONE, 5)
    arrived = steer(early, LET_IN, NOW + 61 * SECOND)
    assert commanded(arrived).command_id != commanded(early).command_id


def test_a_command_never_looks_older_than_the_arrival_that_it_answers() -> None:
    assert commanded(steer(UP, LET_IN, NOW)).created_at == LET_IN.reported_after


def test_history_keeps_the_last_ten_and_every_command_has_its_own_id() -> None:
    blocker = REST
    for minute in range(0, 60, 2):
        blocker = steer(blocker, GUARD if minute % 4 else IDLE, NOW + timedelta(minutes=minute))
        blocker = receive(blocker, a_report(received_at=NOW + timedelta(minutes=minute)), blocker.shadow_version + 1)
    ids = [c.command_id for c in (*blocker.history, commanded(blocker))]
    assert len(blocker.history) == HISTORY_LENGTH
    assert len(set(ids)) == len(ids)


WISHES = [IDLE, GUARD, LET_IN, Wanted(RAISED), Wanted(RAISED, UserId("boris"), ReservationId("res_b"))]
reports = st.builds(
    lambda position, occupancy, result: a_report(position=position, occupancy=occupancy, result=result),
    st.sampled_from(Position),
    st.sampled_from(Occupancy),
    st.sampled_from([None, *Result]),
)
steps = st.lists(st.tuples(st.sampled_from(WISHES), st.none() | reports, st.integers(0, 150)), max_size=15)


@given(steps)
def test_whatever_happens_at_most_one_command_is_pending_and_none_raises_onto_a_car(
    happened: list[tuple[Wanted, Report | None, int]],
) -> None:
    blocker, now = REST, NOW
    for wanted, report, seconds in happened:
        now += seconds * SECOND
        if report is not None:
            named = blocker.command.command_id if blocker.command else None
            news = replace(report, command_id=named, received_at=now)
            blocker = receive(blocker, news, blocker.shadow_version + 1)
        before = blocker
        blocker = steer(blocker, wanted, now)
        assert all(c.status is not CommandStatus.PENDING for c in blocker.history)
        assert steer(blocker, wanted, now) == blocker
        if blocker.commands_sent > before.commands_sent and commanded(blocker).position is RAISED:
            assert before.occupancy(now) is Occupancy.VACANT


@given(st.lists(reports, min_size=1, max_size=4), st.sampled_from(WISHES), st.data())
def test_the_same_facts_in_any_order_bring_the_barrier_to_the_same_place(
    heard: list[Report], wanted: Wanted, data: st.DataObject
) -> None:
    """Each report comes once or more, in any order, with triggers in between; then the last command times out."""
    documents = [(n, replace(r, command_id=None, result=None)) for n, r in enumerate(heard, start=10)]
    goals = set[Position]()
    for _ in range(3):
        blocker = a_blocker(report=None)
        for version, report in data.draw(st.permutations(documents * 2)):
            blocker = steer(receive(blocker, report, version), wanted, NOW)
        blocker = steer(blocker, wanted, NOW + timedelta(minutes=5))
        pending = blocker.command if blocker.command and blocker.command.status is CommandStatus.PENDING else None
        goals.add(pending.position if pending else blocker.position)
    assert len(goals) == 1
