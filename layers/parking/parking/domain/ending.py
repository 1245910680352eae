"""How a reservation comes to its end: lapsed, left, cancelled, over, missed; and what time after the end costs."""

from dataclasses import replace
from datetime import datetime, timedelta

from parking.domain.errors import InvariantBroken, WrongState
from parking.domain.reservation import (
    LOWER_WITHIN,
    RECHECK,
    TELL_TAKEN_BEFORE_END,
    EndReason,
    ExtensionStatus,
    Reservation,
    ReservationStatus,
    with_extension,
    without_open_extension,
)
from parking.domain.tariff import Quote
from parking.domain.time import Interval

GRACE = timedelta(minutes=10)
OUR_FAULT = (EndReason.BLOCKER_FAILED, EndReason.SPOT_OCCUPIED, EndReason.SPOT_OUT_OF_SERVICE)


def expire_hold(reservation: Reservation, now: datetime) -> Reservation:
    """The reservation after its hold, or its open extension's, lapsed. One whose time has not come is unchanged."""
    if reservation.status is ReservationStatus.HELD and reservation.hold_expires_at <= now:
        return _ended(reservation, ReservationStatus.EXPIRED, EndReason.HOLD_EXPIRED, now)
    extension = reservation.open_extension
    if extension and extension.hold_expires_at <= now:
        return with_extension(reservation, replace(extension, status=ExtensionStatus.EXPIRED))
    return reservation


def depart(reservation: Reservation, now: datetime) -> Reservation:
    """ACTIVE → COMPLETED by the driver. Departing again changes nothing. Raises WrongState."""
    if reservation.status is ReservationStatus.COMPLETED:
        return reservation
    if reservation.status is not ReservationStatus.ACTIVE:
        raise WrongState(f"The reservation is {reservation.status}.", reservation_status=reservation.status)
    return _ended(reservation, ReservationStatus.COMPLETED, EndReason.DEPARTED, now)


def cancel(reservation: Reservation, now: datetime) -> Reservation:
    """HELD or CONFIRMED → CANCELLED by the driver; by our fault if the spot cannot be relied on. Again changes nothing.

    Raises WrongState.
    """
    if reservation.status is ReservationStatus.CANCELLED:
        return reservation
    if reservation.status not in (ReservationStatus.HELD, ReservationStatus.CONFIRMED):
        raise WrongState(f"The reservation is {reservation.status}.", reservation_status=reservation.status)
    if now >= reservation.ends_at:
        raise WrongState("The stay is over.", reservation_status=reservation.status)
    reason = _our_fault(reservation) or EndReason.CANCELLED_BY_DRIVER
    return _ended(reservation, ReservationStatus.CANCELLED, reason, now)


def give_up(reservation: Reservation, now: datetime) -> Reservation:
    """HELD or CONFIRMED → CANCELLED, because the spot is out of service."""
    return _ended(reservation, ReservationStatus.CANCELLED, EndReason.SPOT_OUT_OF_SERVICE, now)


def refunds_in_full(reservation: Reservation) -> bool:
    """The policy: before the start 100 %, after it 0 %; our fault always 100 %."""
    if reservation.status is not ReservationStatus.CANCELLED or reservation.ended_at is None:
        return False
    return reservation.reason in OUR_FAULT or reservation.ended_at < reservation.starts_at


def finish(reservation: Reservation, occupied: bool, now: datetime) -> Reservation:
    """What the end of the time makes of it: COMPLETED, NO_SHOW, CANCELLED by our fault, or an overstay.

    One whose time has not come, or that waits for an extension's payment, is unchanged.
    """
    if reservation.open_extension or now < (reservation.finish_due_at or reservation.ends_at):
        return reservation
    match reservation.status:
        case ReservationStatus.CONFIRMED:
            return _ended(reservation, *_missed(reservation), now)
        case ReservationStatus.ACTIVE if occupied:
            since = reservation.ends_at if now >= reservation.ends_at + GRACE else None
            overstayed_since = reservation.overstayed_since or since
            return replace(reservation, finish_due_at=now + RECHECK, overstayed_since=overstayed_since)
        case ReservationStatus.ACTIVE:
            return _ended(reservation, ReservationStatus.COMPLETED, EndReason.TIME_ENDED, now)
        case _:
            return reservation


def _missed(reservation: Reservation) -> tuple[ReservationStatus, EndReason]:
    """What a stay comes to that nobody parked on: our fault if the spot was not theirs or the barrier stuck.

    Who asks for the arrival so late that no barrier could have gone down in its time has not come.
    """
    if reason := _our_fault(reservation):
        return ReservationStatus.CANCELLED, reason
    asked = reservation.arrival_requested_at
    if asked and reservation.ends_at - asked >= LOWER_WITHIN:
        return ReservationStatus.CANCELLED, EndReason.BLOCKER_FAILED
    return ReservationStatus.NO_SHOW, EndReason.NEVER_ARRIVED


def _our_fault(reservation: Reservation) -> EndReason | None:
    """Why the driver may have all money back."""
    if reservation.displaced_at:
        return EndReason.SPOT_OCCUPIED
    if reservation.unserved_at:
        return EndReason.SPOT_OUT_OF_SERVICE
    failed = reservation.guard_failed_at or reservation.arrival_failed_at
    return EndReason.BLOCKER_FAILED if failed else None


def overstay_of(reservation: Reservation) -> Quote | None:
    """What an ended stay owes for the time after its end; None if the car left within the grace."""
    if reservation.overstayed_since is None or reservation.ended_at is None:
        return None
    over = Interval(reservation.overstayed_since, reservation.ended_at)
    return reservation.overstay_terms.quote(over, reservation.quote.currency, reservation.quote.tariff_version)


def mark_told(reservation: Reservation, *, taken: bool, now: datetime) -> Reservation:
    """The driver was told about the end as it stands; `taken`: that somebody has the spot next.

    That is told a second time ten minutes before the end, unless the end is as near already.
    """
    second_at = reservation.ends_at - TELL_TAKEN_BEFORE_END
    again = taken and now < second_at
    return replace(
        reservation,
        told_end=reservation.ends_at,
        tell_taken_at=second_at if again else None,
        told_taken=reservation.ends_at if taken and not again else reservation.told_taken,
    )


def hear_of_next(reservation: Reservation, now: datetime) -> Reservation:
    """Somebody has booked the spot next: a driver whose end was told without that hears of it ten minutes before."""
    waits = reservation.told_end == reservation.ends_at and reservation.tell_taken_at is None
    if not waits or reservation.told_taken == reservation.ends_at:
        return reservation
    return replace(reservation, tell_taken_at=max(reservation.ends_at - TELL_TAKEN_BEFORE_END, now))


_ENDS = {
    ReservationStatus.HELD: {ReservationStatus.EXPIRED, ReservationStatus.CANCELLED},
    ReservationStatus.CONFIRMED: {ReservationStatus.CANCELLED, ReservationStatus.NO_SHOW},
    ReservationStatus.ACTIVE: {ReservationStatus.COMPLETED},
}


def _ended(reservation: Reservation, status: ReservationStatus, reason: EndReason, now: datetime) -> Reservation:
    if status not in _ENDS.get(reservation.status, set()):
        raise InvariantBroken(f"{reservation.reservation_id} cannot go from {reservation.status} to {status}")
    reservation = without_open_extension(reservation)
    return replace(reservation, status=status, reason=reason, ended_at=now, guard_due_at=None, finish_due_at=None)
