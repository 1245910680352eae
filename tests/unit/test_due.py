"""The next timed step: outstanding until the end, and its own handler always moves it on."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking.domain.due import Due, Step
from parking.domain.ending import cancel, depart, expire_hold, finish, hear_of_next, mark_told
from parking.domain.errors import Refused
from parking.domain.extending import confirm_extension, hold_extension
from parking.domain.guarding import look_again
from parking.domain.paying import confirm
from parking.domain.reservation import ARRIVAL_LEAD, HOLD, TELL_BEFORE_END, Reservation, arrive, request_arrival
from tests.builders import NOW, a_reservation, an_extension
from tests.unit.stays import ACTIVE, ARRIVING, CONFIRMED, ENDS, EVERY_STATUS, HELD, MINUTE, PAYMENT, STARTS, TERMINAL, S

TOLD = mark_told(CONFIRMED, taken=False, now=NOW)
EXTENSION = an_extension(ends_at=ENDS + 60 * MINUTE, hold_expires_at=ENDS - 35 * MINUTE)
EXTENDING = hold_extension(ACTIVE, EXTENSION, EXTENSION.ends_at, ENDS - 45 * MINUTE)

Handler = Callable[[Reservation, datetime], Reservation]
HANDLERS: dict[Step, list[Handler]] = {
    # each as its schedule does it, with whatever the blocker may say
    Step.RELEASE_HOLD: [expire_hold],
    Step.TELL_END: [
        lambda r, now: mark_told(r, taken=False, now=now),
        lambda r, now: mark_told(r, taken=True, now=now),
    ],
    Step.GUARD: [lambda r, now: look_again(r, True, now), lambda r, now: look_again(r, False, now)],
    Step.FINISH: [lambda r, now: finish(r, False, now), lambda r, now: finish(r, True, now)],
}


@pytest.mark.parametrize(
    ("reservation", "due"),
    [
        (HELD, Due(NOW + HOLD, Step.RELEASE_HOLD)),
        (CONFIRMED, Due(STARTS - ARRIVAL_LEAD, Step.GUARD)),
        (look_again(CONFIRMED, True, STARTS), Due(ENDS - TELL_BEFORE_END, Step.TELL_END)),
        (look_again(TOLD, True, STARTS), Due(ENDS, Step.FINISH)),
        (ARRIVING, Due(STARTS + MINUTE / 2, Step.GUARD)),
        (ACTIVE, Due(ENDS - TELL_BEFORE_END, Step.TELL_END)),
        (mark_told(ACTIVE, taken=False, now=NOW), Due(ENDS, Step.FINISH)),
        (mark_told(ACTIVE, taken=True, now=NOW), Due(ENDS - 10 * MINUTE, Step.TELL_END)),
        (mark_told(ACTIVE, taken=True, now=ENDS - 10 * MINUTE), Due(ENDS, Step.FINISH)),
        (hear_of_next(mark_told(ACTIVE, taken=False, now=NOW), NOW), Due(ENDS - 10 * MINUTE, Step.TELL_END)),
        (finish(mark_told(ACTIVE, taken=False, now=NOW), True, ENDS), Due(ENDS + MINUTE, Step.FINISH)),
        (EXTENDING, Due(ENDS - 35 * MINUTE, Step.RELEASE_HOLD)),
        (expire_hold(EXTENDING, ENDS - 35 * MINUTE), Due(ENDS - TELL_BEFORE_END, Step.TELL_END)),
    ],
    ids=[
        "held",
        "paid",
        "guarded",
        "guarded and told",
        "arriving",
        "active",
        "active and told",
        "active and told that somebody is next",
        "active and told so close to the end",
        "active, and somebody has booked next",
        "watched after the end",
        "extension held",
        "extension lapsed",
    ],
)
def test_the_earliest_outstanding_step_comes_next(reservation: Reservation, due: Due) -> None:
    assert reservation.due == due


@pytest.mark.parametrize("status", TERMINAL)
def test_nothing_is_outstanding_after_the_end(status: S) -> None:
    assert EVERY_STATUS[status].due is None


def test_an_extended_stay_is_told_about_its_new_end() -> None:
    paid = confirm_extension(mark_told(EXTENDING, taken=False, now=NOW), EXTENSION, PAYMENT, ENDS - 40 * MINUTE)
    assert paid.due == Due(ENDS + 60 * MINUTE - TELL_BEFORE_END, Step.TELL_END)


def _extend(reservation: Reservation, now: datetime) -> Reservation:
    hold_expires_at = min(now + HOLD, reservation.ends_at)
    longer = an_extension(ends_at=reservation.ends_at + 20 * MINUTE, hold_expires_at=hold_expires_at)
    return hold_extension(reservation, longer, reservation.ends_at + 60 * MINUTE, now)


def _pay_extension(reservation: Reservation, now: datetime) -> Reservation:
    extension = reservation.open_extension
    return confirm_extension(reservation, extension, PAYMENT, now) if extension else reservation


def _schedules(reservation: Reservation, now: datetime) -> Reservation:
    due = reservation.due
    return HANDLERS[due.step][-1](reservation, now) if due and due.at <= now else reservation


ACTS: list[Handler] = [
    lambda r, now: confirm(r, PAYMENT, now),
    request_arrival,
    arrive,
    depart,
    cancel,
    _extend,
    _pay_extension,
    _schedules,
    _schedules,
]
stays = st.builds(
    lambda start, length: a_reservation(
        starts_at=NOW + timedelta(minutes=start),
        ends_at=NOW + timedelta(minutes=start + length),
        booked_ends_at=NOW + timedelta(minutes=start + length),
    ),
    st.sampled_from([0, 5, 14, 15, 16, 40]),
    st.sampled_from([1, 10, 15, 29, 30, 31, 90]),
)
History = list[tuple[Handler, int]]
histories = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 25)), max_size=20)


def _lived(reservation: Reservation, history: History) -> tuple[list[Reservation], datetime]:
    """The reservation after each act, so many minutes after the one before; and the time in the end."""
    now, states = NOW, [reservation]
    for act, minutes in history:
        now += timedelta(minutes=minutes)
        with suppress(Refused):
            states.append(act(states[-1], now))
    return states, now


@given(stays, histories)
def test_a_step_is_due_exactly_while_the_reservation_has_not_ended(stay: Reservation, history: History) -> None:
    for state in _lived(stay, history)[0]:
        assert (state.due is None) is (state.status in TERMINAL)


@given(stays, histories, st.integers(0, 10_000))
def test_the_handler_of_a_due_step_always_moves_it_on_however_late_it_comes(
    stay: Reservation, history: History, late_seconds: int
) -> None:
    for state in _lived(stay, history)[0]:
        if state.due is None:
            continue
        now = state.due.at + timedelta(seconds=late_seconds)
        for handler in HANDLERS[state.due.step]:
            after = handler(state, now)
            assert after != state
            assert after.due is None or after.due.step is not state.due.step or after.due.at > state.due.at


@given(stays, histories, st.integers(1, 90))
def test_left_to_the_schedules_every_reservation_ends_soon_after_its_time(
    stay: Reservation, history: History, tick_minutes: int
) -> None:
    states, now = _lived(stay, history)
    reservation = states[-1]
    outstanding = [reservation.hold_expires_at, reservation.ends_at]
    # A lapsed extension, a notice and a guard may fall due with the end: each tick does one of them at least.
    last = max(now, *outstanding) + timedelta(minutes=3 * tick_minutes)
    while reservation.status not in TERMINAL:
        now += timedelta(minutes=tick_minutes)
        assert now <= last
        for step in Step:  # a tick of every schedule: each looks at what is due for it
            if reservation.due and reservation.due.step is step and reservation.due.at <= now:
                reservation = HANDLERS[step][0](reservation, now)


@given(stays, histories)
def test_a_claim_covers_what_was_sold_for_as_long_as_it_may_be_used(stay: Reservation, history: History) -> None:
    for state in _lived(stay, history)[0]:
        if state.status in (S.HELD, S.CONFIRMED, S.ACTIVE):
            assert state.claim is not None
            assert state.claim.stay.starts_at == state.starts_at
            assert state.claim.stay.ends_at >= state.ends_at
