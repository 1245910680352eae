"""What a reservation asks of the spot's blocker."""

from dataclasses import replace
from datetime import datetime

from parking.domain.blocker import Blocker, Occupancy, Position, Wanted
from parking.domain.ids import BlockerId
from parking.domain.reservation import (
    ARRIVAL_LEAD,
    GUARD_TIME,
    LOWER_WITHIN,
    RECHECK,
    Reservation,
    ReservationStatus,
)
from parking.domain.spot import ServiceState, Spot


def look_again(reservation: Reservation, guarded: bool, now: datetime) -> Reservation:
    """After a look at the blocker: done once it guards, else again in a minute. Not due: unchanged."""
    if reservation.guard_due_at is None or reservation.guard_due_at > now:
        return reservation
    waits_for_machine = reservation.arrival_requested_at is not None
    done = guarded and not waits_for_machine
    return replace(reservation, guard_due_at=None if done else now + RECHECK)


def watched_over(reservation: Reservation, spot: Spot, blocker: Blocker, now: datetime) -> Reservation:
    """Due for a look again where the barrier that stood for it has come down, or the spot was taken out of service.

    A guard that fails late is to be said as well (design, section 7): the barrier has a command's time to rise. `now`
    is within the time of the guard.
    """
    expected = reservation.status is ReservationStatus.CONFIRMED and reservation.arrival_requested_at is None
    if not expected or reservation.guard_due_at:
        return reservation
    if spot.service_state is ServiceState.OUT_OF_SERVICE:
        return replace(reservation, guard_due_at=now)
    guarded = blocker.guards(reservation.reservation_id)
    return reservation if guarded else replace(reservation, guard_due_at=now + GUARD_TIME)


def guard_has_failed(reservation: Reservation, guarded: bool, now: datetime) -> bool:
    """True once: a driver who is expected at a spot that its blocker has not come to guard in its time."""
    if guarded or reservation.guard_failed_at or reservation.guard_by is None:
        return False
    expected = reservation.status is ReservationStatus.CONFIRMED and reservation.arrival_requested_at is None
    return expected and reservation.guard_by <= now < reservation.ends_at


def arrival_has_failed(reservation: Reservation, now: datetime) -> bool:
    """True once: a driver who stands before a blocker that has not gone down in its time."""
    asked = reservation.arrival_requested_at
    if asked is None or reservation.status is not ReservationStatus.CONFIRMED or now >= reservation.ends_at:
        return False
    return reservation.arrival_failed_at is None and now - asked >= LOWER_WITHIN


def car_is_seen(reservation: Reservation, blocker: Blocker | None, now: datetime) -> bool:
    """True if the stay's car is seen on the spot: what stands there once the barrier served another stay is not it."""
    if blocker is None or blocker.occupancy(now) is not Occupancy.OCCUPIED:
        return False
    served = blocker.last_served
    return served is None or served.reservation_id == reservation.reservation_id


def blockers_to_tell(before: Reservation | None, after: Reservation) -> tuple[BlockerId, ...]:
    """Whose position may change with a paid stay: its own blocker, and the one that it left last.

    Most of what is written into a stay (a notice, the next look, what its blocker did) moves no barrier.
    """
    if after.status in (ReservationStatus.HELD, ReservationStatus.EXPIRED):
        return ()
    if before is not None and _asked(before) == _asked(after):
        return ()
    return (after.blocker_id, after.moved.left_blocker_id) if after.moved else (after.blocker_id,)


def _asked(stay: Reservation) -> tuple[object, ...]:
    """All that `wanted_position` makes of a stay, and where."""
    return stay.status, stay.starts_at, stay.ends_at, stay.arrival_requested_at, stay.blocker_id, stay.moved


def wanted_position(spot: Spot, reservations: list[Reservation], now: datetime) -> Wanted:
    """Where the blocker should be: a pure function of the spot, its reservations and now (design, rule 5)."""
    for reservation in sorted(reservations, key=lambda r: r.starts_at):
        if not reservation.starts_at - ARRIVAL_LEAD <= now < reservation.ends_at:
            continue
        owner = (reservation.user_id, reservation.reservation_id)
        if reservation.status is ReservationStatus.ACTIVE:
            return Wanted(Position.LOWERED, *owner)
        if reservation.status is ReservationStatus.CONFIRMED:
            arrival = reservation.arrival_requested_at
            return Wanted(Position.LOWERED if arrival else Position.RAISED, *owner, arrival)
    return Wanted(spot.idle_position)
