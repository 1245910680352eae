"""The state table of the design, section 4: every status against every step."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from parking.domain.ending import GRACE, cancel, depart, expire_hold, finish, refunds_in_full
from parking.domain.errors import (
    AlreadyPaid,
    HoldExpired,
    InvalidField,
    NotPaid,
    OutsideArrivalWindow,
    WrongState,
)
from parking.domain.guarding import look_again
from parking.domain.paying import confirm
from parking.domain.reservation import (
    ARRIVAL_LEAD,
    HOLD,
    LOWER_WITHIN,
    EndReason,
    Reservation,
    arrive,
    check_stay,
    request_arrival,
)
from tests.builders import NOW, a_reservation, a_spot, an_interval
from tests.unit.stays import ACTIVE, ARRIVING, CONFIRMED, ENDS, EVERY_STATUS, HELD, MINUTE, PAYMENT, STARTS, TERMINAL, S

Move = Callable[[Reservation], Reservation]
Outcome = S | type[Exception]


def _when(*statuses: S, then: Outcome) -> dict[S, Outcome]:
    return dict.fromkeys(statuses, then)


MOVES: dict[str, tuple[Move, dict[S, Outcome]]] = {
    # what is done: (how, what becomes of each status; absent: unchanged)
    "the hold lapses": (lambda r: expire_hold(r, NOW + HOLD), _when(S.HELD, then=S.EXPIRED)),
    "it is paid": (
        lambda r: confirm(r, PAYMENT, NOW + MINUTE),
        _when(S.HELD, then=S.CONFIRMED)
        | _when(S.EXPIRED, then=HoldExpired)
        | _when(S.CONFIRMED, S.ACTIVE, S.COMPLETED, S.CANCELLED, S.NO_SHOW, then=AlreadyPaid),
    ),
    "the owner arrives": (
        lambda r: request_arrival(r, STARTS + 30 * MINUTE),
        _when(S.HELD, then=NotPaid) | _when(S.CONFIRMED, then=S.CONFIRMED) | _when(*TERMINAL, then=WrongState),
    ),
    "the blocker reports LOWERED though nobody arrived": (lambda r: arrive(r, STARTS), {}),
    "the driver departs": (
        lambda r: depart(r, STARTS + 60 * MINUTE),
        _when(S.ACTIVE, then=S.COMPLETED)
        | _when(S.HELD, S.CONFIRMED, S.EXPIRED, S.CANCELLED, S.NO_SHOW, then=WrongState),
    ),
    "the driver cancels": (
        lambda r: cancel(r, STARTS - MINUTE),
        _when(S.HELD, S.CONFIRMED, then=S.CANCELLED)
        | _when(S.ACTIVE, S.COMPLETED, S.EXPIRED, S.NO_SHOW, then=WrongState),
    ),
    "the end comes and no car is seen": (
        lambda r: finish(r, False, ENDS),
        _when(S.CONFIRMED, then=S.NO_SHOW) | _when(S.ACTIVE, then=S.COMPLETED),
    ),
    "the end comes and a car is there": (
        lambda r: finish(r, True, ENDS),
        _when(S.CONFIRMED, then=S.NO_SHOW) | _when(S.ACTIVE, then=S.ACTIVE),
    ),
}


@pytest.mark.parametrize("status", EVERY_STATUS)
def test_each_status_is_reached_by_the_steps_of_the_table(status: S) -> None:
    assert EVERY_STATUS[status].status is status


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("status", EVERY_STATUS)
def test_states_move_only_along_the_table(status: S, move: str) -> None:
    how, outcomes = MOVES[move]
    before, outcome = EVERY_STATUS[status], outcomes.get(status)
    if outcome is None:
        assert how(before) == before
    elif isinstance(outcome, S):
        after = how(before)
        assert (after.status, after != before) == (outcome, True)
    else:
        with pytest.raises(outcome):
            how(before)


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("status", TERMINAL)
def test_a_terminal_state_never_changes_and_keeps_its_one_reason(status: S, move: str) -> None:
    before = EVERY_STATUS[status]
    try:
        after = MOVES[move][0](before)
    except (AlreadyPaid, HoldExpired, WrongState):
        after = before
    assert after == before
    assert after.reason is not None
    assert after.ended_at is not None


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (S.COMPLETED, EndReason.DEPARTED),
        (S.EXPIRED, EndReason.HOLD_EXPIRED),
        (S.CANCELLED, EndReason.CANCELLED_BY_DRIVER),
        (S.NO_SHOW, EndReason.NEVER_ARRIVED),
    ],
)
def test_the_end_says_why(status: S, reason: EndReason) -> None:
    assert EVERY_STATUS[status].reason is reason


@pytest.mark.parametrize("status", [S.HELD, S.CONFIRMED, S.ACTIVE])
def test_what_has_not_ended_has_no_reason(status: S) -> None:
    assert (EVERY_STATUS[status].reason, EVERY_STATUS[status].ended_at) == (None, None)


def test_a_hold_lapses_at_its_instant_and_not_before() -> None:
    just_before = NOW + HOLD - timedelta(microseconds=1)
    assert expire_hold(HELD, just_before) == HELD
    assert confirm(HELD, PAYMENT, just_before).status is S.CONFIRMED
    assert expire_hold(HELD, NOW + HOLD).status is S.EXPIRED
    with pytest.raises(HoldExpired):
        confirm(HELD, PAYMENT, NOW + HOLD)


def test_money_for_a_cancelled_hold_is_refused() -> None:
    with pytest.raises(WrongState):
        confirm(cancel(HELD, NOW), PAYMENT, NOW)


@pytest.mark.parametrize(
    ("at", "possible"),
    [
        (STARTS - ARRIVAL_LEAD - timedelta(microseconds=1), False),
        (STARTS - ARRIVAL_LEAD, True),
        (ENDS - timedelta(microseconds=1), True),
        (ENDS, False),
    ],
)
def test_arrival_is_possible_from_15_minutes_before_the_start_until_the_end(at: datetime, possible: bool) -> None:
    if possible:
        assert request_arrival(CONFIRMED, at).arrival_requested_at == at
    else:
        with pytest.raises(OutsideArrivalWindow) as refusal:
            request_arrival(CONFIRMED, at)
        assert refusal.value.data == {"opens_at": STARTS - ARRIVAL_LEAD, "closes_at": ENDS}


def test_arriving_again_changes_nothing() -> None:
    assert request_arrival(ARRIVING, STARTS + MINUTE) == ARRIVING


def test_a_stay_is_active_from_the_machines_answer() -> None:
    assert (ACTIVE.status, ACTIVE.arrived_at, ACTIVE.guard_due_at) == (S.ACTIVE, STARTS + MINUTE, None)
    assert arrive(ACTIVE, STARTS + 5 * MINUTE) == ACTIVE


def test_cancelling_is_possible_until_the_end() -> None:
    assert cancel(CONFIRMED, ENDS - MINUTE).status is S.CANCELLED
    with pytest.raises(WrongState):
        cancel(CONFIRMED, ENDS)


@pytest.mark.parametrize(
    ("ended", "in_full"),
    [
        (cancel(CONFIRMED, STARTS - timedelta(microseconds=1)), True),
        (cancel(CONFIRMED, STARTS), False),
        (finish(ARRIVING, False, ENDS), True),
        (EVERY_STATUS[S.NO_SHOW], False),
        (EVERY_STATUS[S.COMPLETED], False),
        (CONFIRMED, False),
    ],
    ids=["before the start", "at the start", "our fault", "no-show", "completed", "not ended"],
)
def test_refunds_follow_the_policy(ended: Reservation, in_full: bool) -> None:
    assert refunds_in_full(ended) is in_full


def test_a_driver_who_came_but_was_never_let_in_is_cancelled_by_our_fault() -> None:
    ended = finish(ARRIVING, False, ENDS)
    assert (ended.status, ended.reason) == (S.CANCELLED, EndReason.BLOCKER_FAILED)


def test_who_asks_so_late_that_no_barrier_could_have_gone_down_has_not_come() -> None:
    just_in_time = finish(replace(ARRIVING, arrival_requested_at=ENDS - LOWER_WITHIN), False, ENDS)
    assert just_in_time.status is S.CANCELLED
    late = finish(replace(ARRIVING, arrival_requested_at=ENDS - LOWER_WITHIN + MINUTE / 60), False, ENDS)
    assert (late.status, late.reason) == (S.NO_SHOW, EndReason.NEVER_ARRIVED)


def test_a_car_that_stays_is_watched_each_minute_and_overstays_after_the_grace() -> None:
    watched = finish(ACTIVE, True, ENDS)
    assert (watched.finish_due_at, watched.overstayed_since) == (ENDS + MINUTE, None)
    assert finish(watched, True, ENDS) == watched
    overstayed = finish(watched, True, ENDS + GRACE)
    assert overstayed.overstayed_since == ENDS
    later = finish(overstayed, True, ENDS + GRACE + 5 * MINUTE)
    assert later.overstayed_since == ENDS
    left = finish(later, False, later.finish_due_at or ENDS)
    assert (left.status, left.reason, left.overstayed_since) == (S.COMPLETED, EndReason.TIME_ENDED, ENDS)


def test_the_guard_is_looked_at_again_until_it_stands() -> None:
    due = CONFIRMED.guard_due_at or NOW
    assert due == STARTS - ARRIVAL_LEAD
    assert look_again(CONFIRMED, guarded=False, now=due - MINUTE) == CONFIRMED
    again = look_again(CONFIRMED, guarded=False, now=due)
    assert again.guard_due_at == due + MINUTE
    assert look_again(again, guarded=True, now=due + MINUTE).guard_due_at is None


def test_an_arriving_drivers_guard_is_looked_at_until_the_machine_answers() -> None:
    due = ARRIVING.guard_due_at or NOW
    assert look_again(ARRIVING, guarded=True, now=due).guard_due_at == due + MINUTE


def test_what_is_paid_late_is_guarded_at_once() -> None:
    starts_now = a_reservation(starts_at=NOW, ends_at=NOW + 60 * MINUTE)
    assert confirm(starts_now, PAYMENT, NOW + MINUTE).guard_due_at == NOW + MINUTE


@pytest.mark.parametrize(
    ("reservation", "ends_at"),
    [
        (HELD, ENDS),
        (CONFIRMED, ENDS),
        (ACTIVE, ENDS),
        (EVERY_STATUS[S.EXPIRED], None),
        (EVERY_STATUS[S.CANCELLED], None),
        (EVERY_STATUS[S.NO_SHOW], ENDS),
        (EVERY_STATUS[S.COMPLETED], STARTS + 60 * MINUTE),
        (finish(ACTIVE, False, ENDS + 5 * MINUTE), ENDS),
        (depart(ACTIVE, STARTS - MINUTE), None),
    ],
)
def test_the_calendar_shows_the_time_that_is_or_was_used(reservation: Reservation, ends_at: datetime | None) -> None:
    claim = reservation.claim
    assert (claim.stay.ends_at if claim else None) == ends_at
    if claim and ends_at:
        assert claim.stay.starts_at == STARTS
        assert claim.blocked_until == ends_at + 10 * MINUTE


@pytest.mark.parametrize("status", EVERY_STATUS)
def test_the_first_answer_shows_the_reservation_as_it_was_made(status: S) -> None:
    first = EVERY_STATUS[status].first_answer
    # When the schedules look at it next is no part of an answer.
    assert replace(first, guard_due_at=None, told_end=None, finish_due_at=None) == HELD


@pytest.mark.parametrize(
    ("starts_minutes", "lasts_minutes", "field"),
    [
        (-2, 60, "starts_at"),
        (-1, 60, None),
        (90 * 24 * 60, 60, None),
        (90 * 24 * 60 + 1, 60, "starts_at"),
        (60, 14, "ends_at"),
        (60, 15, None),
        (60, 7 * 24 * 60, None),
        (60, 7 * 24 * 60 + 1, "ends_at"),
    ],
)
def test_a_stay_that_nobody_could_book_is_refused_by_its_field(
    starts_minutes: int, lasts_minutes: int, field: str | None
) -> None:
    stay = an_interval(starts_minutes, lasts_minutes)
    if field is None:
        check_stay(a_spot(), stay, NOW)
    else:
        with pytest.raises(InvalidField) as refusal:
            check_stay(a_spot(), stay, NOW)
        assert refusal.value.field == field
