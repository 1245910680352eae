"""A driver who cannot rely on the spot: told why, and offered another one or the money back."""

from dataclasses import replace
from datetime import datetime, timedelta

from parking.domain.errors import WrongState
from parking.domain.reservation import (
    ARRIVAL_LEAD,
    GUARD_TIME,
    RECHECK,
    Moved,
    Reservation,
    ReservationStatus,
    without_open_extension,
)
from parking.domain.spot import Spot

WARN_BEFORE_START = timedelta(minutes=10)
OFFER_AFTER_START = timedelta(minutes=5)
WITHIN_M = 500
"""How far another spot may be: six minutes on foot."""
CREDIT_PERCENT = 10
CREDIT_MINOR_MIN = 100
"""Less than a coin would sound like a joke."""
CREDIT_MINOR_MAX = 1_000
"""A week's stay must not become worth displacing."""


def waits_for_the_spot(reservation: Reservation, now: datetime) -> bool:
    """True for a paid stay that begins soon or has begun, and whose driver has not come."""
    expected = reservation.status is ReservationStatus.CONFIRMED and reservation.arrival_requested_at is None
    return expected and reservation.starts_at - WARN_BEFORE_START <= now < reservation.ends_at


def is_to_be_warned(reservation: Reservation, now: datetime) -> bool:
    """True until the offer is near, once."""
    return reservation.told_occupied_at is None and now < reservation.starts_at + OFFER_AFTER_START


def is_to_be_offered(reservation: Reservation, now: datetime) -> bool:
    """True from five minutes after the start on, once."""
    return reservation.displaced_at is None and now >= reservation.starts_at + OFFER_AFTER_START


def check_displaced(reservation: Reservation, now: datetime) -> None:
    """Raises WrongState unless the driver may choose another spot now."""
    if not is_expected(reservation, now) or not reservation.let_down:
        raise WrongState(
            "Another spot is offered when yours is occupied by the stay before, not guarded, or out of service.",
            reservation_status=reservation.status,
        )


def is_expected(reservation: Reservation, now: datetime) -> bool:
    """True for a paid stay, ahead or begun, whose driver has not come; who has come stays to the end."""
    expected = reservation.status is ReservationStatus.CONFIRMED and reservation.arrival_requested_at is None
    return expected and now < reservation.ends_at


def out_of_service(reservation: Reservation, now: datetime) -> Reservation:
    """The stay whose driver is told that the spot is out of service; the minute's look at the guard goes on with it."""
    return replace(reservation, unserved_at=now, guard_due_at=max(reservation.starts_at - ARRIVAL_LEAD, now + RECHECK))


def given_up_at(reservation: Reservation) -> datetime:
    """When a stay whose spot is out of service is cancelled if its driver does nothing."""
    return max(reservation.starts_at, reservation.unserved_at or reservation.starts_at) + OFFER_AFTER_START


def is_to_be_given_up(reservation: Reservation, now: datetime) -> bool:
    """True from then on, while the driver is expected."""
    told = reservation.unserved_at is not None
    return told and is_expected(reservation, now) and now >= given_up_at(reservation)


def moved_to(reservation: Reservation, spot: Spot, now: datetime) -> Reservation:
    """The same stay, at the same price, on another spot from now on; its blocker is to be raised as for any stay.

    More time that was held and not paid was time at the old spot: it is not waited for any longer. Raises WrongState.
    """
    check_displaced(reservation, now)
    booked = reservation.moved
    return replace(
        without_open_extension(reservation),
        spot_id=spot.spot_id,
        spot_name=spot.name,
        blocker_id=spot.blocker_id,
        time_zone=spot.time_zone,
        turnover_minutes=spot.turnover_minutes,
        guard_due_at=max(reservation.starts_at - ARRIVAL_LEAD, now),
        guard_by=max(reservation.starts_at, now + GUARD_TIME),
        guard_failed_at=None,
        unserved_at=None,
        displaced_at=None,
        moved=Moved(
            at=now.replace(microsecond=0),
            booked_spot_id=booked.booked_spot_id if booked else reservation.spot_id,
            booked_spot_name=booked.booked_spot_name if booked else reservation.spot_name,
            booked_time_zone=booked.booked_time_zone if booked else reservation.time_zone,
            left_blocker_id=reservation.blocker_id,
        ),
    )


def credit_minor(refunded_minor: int) -> int:
    """What we add to a full refund by way of apology: a tenth of it within limits, and never more than was paid."""
    tenth = refunded_minor * CREDIT_PERCENT // 100
    return min(max(tenth, CREDIT_MINOR_MIN), CREDIT_MINOR_MAX, refunded_minor)
