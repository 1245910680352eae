"""How a held stay becomes a paid one, in time or by money that a card has paid late."""

from dataclasses import replace
from datetime import datetime, timedelta

from parking.domain.errors import AlreadyPaid, HoldExpired, WrongState
from parking.domain.payment import Payment
from parking.domain.reservation import ARRIVAL_LEAD, GUARD_TIME, Reservation, ReservationStatus

LATE_MONEY = timedelta(minutes=10)  # money this long after the hold still makes the stay, even one that began meanwhile


def check_payable(reservation: Reservation, now: datetime) -> None:
    """Raises AlreadyPaid, HoldExpired or WrongState unless the reservation waits for its payment."""
    if reservation.payment_id:
        raise AlreadyPaid("This reservation is paid.")
    if reservation.status not in (ReservationStatus.HELD, ReservationStatus.EXPIRED):
        raise WrongState(
            f"A reservation that is {reservation.status} takes no payment.", reservation_status=reservation.status
        )
    if reservation.status is ReservationStatus.EXPIRED or now >= reservation.hold_expires_at:
        raise HoldExpired("The hold has lapsed; reserve again.")


def confirm(reservation: Reservation, payment: Payment, now: datetime) -> Reservation:
    """HELD → CONFIRMED by its payment. Raises AlreadyPaid, HoldExpired or WrongState."""
    check_payable(reservation, now)
    return _paid(reservation, payment, now)


def confirm_late(reservation: Reservation, payment: Payment, now: datetime) -> Reservation:
    """CONFIRMED by money that a card has paid already, even if the hold has lapsed: the only way out of EXPIRED.

    The caller checks that the interval is still free. Raises AlreadyPaid, HoldExpired or WrongState if the driver
    cannot have the whole stay any more.
    """
    still_wanted = now < max(reservation.starts_at, reservation.hold_expires_at + LATE_MONEY) and (
        now < reservation.ends_at
    )
    if reservation.status in (ReservationStatus.HELD, ReservationStatus.EXPIRED) and still_wanted:
        return replace(_paid(reservation, payment, now), reason=None, ended_at=None)
    check_payable(reservation, now)
    raise HoldExpired("The hold has lapsed; reserve again.")


def _paid(reservation: Reservation, payment: Payment, now: datetime) -> Reservation:
    return replace(
        reservation,
        status=ReservationStatus.CONFIRMED,
        payment_id=payment.payment_id,
        guard_due_at=max(reservation.starts_at - ARRIVAL_LEAD, now),
        guard_by=max(reservation.starts_at, now + GUARD_TIME),
    )
