"""Where the blocker should be, as a pure function of the spot, its reservations and now."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from parking.domain.blocker import Position
from parking.domain.ending import depart
from parking.domain.evidence import NOTHING_TOLD
from parking.domain.guarding import blockers_to_tell, wanted_position
from parking.domain.ids import BlockerId
from parking.domain.paying import confirm
from parking.domain.reservation import ARRIVAL_LEAD, Reservation, ReservationStatus
from tests.builders import NOW, a_command, a_reservation, a_spot
from tests.unit.stays import ACTIVE, ARRIVING, CONFIRMED, ENDS, EVERY_STATUS, HELD, MINUTE, PAYMENT, STARTS, S

IDLE_DOWN = a_spot(idle_position=Position.LOWERED)
IDLE_UP = a_spot(idle_position=Position.RAISED)
DURING = STARTS + 30 * MINUTE


@pytest.mark.parametrize(
    ("reservation", "at", "position"),
    [
        (HELD, DURING, None),
        (CONFIRMED, STARTS - ARRIVAL_LEAD - MINUTE, None),
        (CONFIRMED, STARTS - ARRIVAL_LEAD, Position.RAISED),
        (CONFIRMED, ENDS - MINUTE, Position.RAISED),
        (CONFIRMED, ENDS, None),
        (ARRIVING, DURING, Position.LOWERED),
        (ACTIVE, DURING, Position.LOWERED),
        (ACTIVE, ENDS, None),
        (EVERY_STATUS[S.COMPLETED], DURING, None),
        (EVERY_STATUS[S.EXPIRED], DURING, None),
        (EVERY_STATUS[S.CANCELLED], DURING, None),
        (EVERY_STATUS[S.NO_SHOW], DURING, None),
    ],
)
def test_the_blocker_is_up_only_for_a_paid_current_stay_whose_driver_has_not_arrived(
    reservation: Reservation, at: datetime, position: Position | None
) -> None:
    for spot in (IDLE_DOWN, IDLE_UP):
        wanted = wanted_position(spot, [reservation], at)
        assert wanted.position is (position or spot.idle_position)
        assert wanted.reservation_id == (reservation.reservation_id if position else None)


def test_an_arrival_asks_for_an_answer_that_is_not_older() -> None:
    assert wanted_position(IDLE_DOWN, [ARRIVING], DURING).reported_after == ARRIVING.arrival_requested_at
    assert wanted_position(IDLE_DOWN, [ACTIVE], DURING).reported_after is None


def test_the_stay_that_runs_comes_before_the_one_that_is_about_to_begin() -> None:
    following = confirm(a_reservation(starts_at=ENDS + 10 * MINUTE, ends_at=ENDS + 70 * MINUTE), PAYMENT, NOW)
    at = ENDS - MINUTE
    for order in ([ACTIVE, following], [following, ACTIVE]):
        assert wanted_position(IDLE_DOWN, order, at).reservation_id == ACTIVE.reservation_id
        assert wanted_position(IDLE_DOWN, order, ENDS).reservation_id == following.reservation_id
    departed = depart(ACTIVE, at)
    assert wanted_position(IDLE_DOWN, [departed, following], at).position is Position.RAISED


def test_a_change_that_moves_no_barrier_tells_no_blocker() -> None:
    paid = a_reservation(status=ReservationStatus.CONFIRMED)
    for noted in (
        replace(paid, told_end=paid.ends_at),
        replace(paid, guard_due_at=paid.starts_at),
        replace(paid, evidence=NOTHING_TOLD.recording([a_command()])),
    ):
        assert blockers_to_tell(paid, noted) == ()


def test_a_change_of_what_a_paid_stay_asks_for_tells_its_blocker() -> None:
    held = a_reservation()
    paid = replace(held, status=ReservationStatus.CONFIRMED)
    here = (paid.blocker_id,)
    assert blockers_to_tell(None, held) == ()
    assert blockers_to_tell(held, paid) == here
    assert blockers_to_tell(None, paid) == here  # a record without its old image
    for asked in (
        replace(paid, status=ReservationStatus.CANCELLED),
        replace(paid, arrival_requested_at=paid.starts_at),
        replace(paid, starts_at=paid.starts_at - timedelta(minutes=15)),
        replace(paid, ends_at=paid.ends_at + timedelta(minutes=15)),
        replace(paid, blocker_id=BlockerId("another")),
    ):
        assert blockers_to_tell(paid, asked) == (asked.blocker_id,)
