"""More time for a stay: until when it can last, and how an extension becomes part of it."""

from dataclasses import replace
from datetime import datetime, timedelta

from parking.domain.calendar import Calendar
from parking.domain.errors import AlreadyPaid, ExtensionUnavailable, HoldExpired, WrongState
from parking.domain.payment import Payment
from parking.domain.reservation import (
    LONGEST_STAY,
    Extension,
    ExtensionStatus,
    Reservation,
    ReservationStatus,
    with_extension,
)

LONGEST_EXTENSION = timedelta(hours=24)  # looked at in one go; extend again for more
MOST_EXTENSIONS = 20  # a refund of all of them still fits into one transaction


def hold_extension(
    reservation: Reservation, extension: Extension, latest_ends_at: datetime, now: datetime
) -> Reservation:
    """The reservation with an extension that waits for its payment. Raises WrongState or ExtensionUnavailable."""
    check_extendable(reservation, now)
    if reservation.open_extension:
        raise WrongState("Another extension waits for its payment.", reservation_status=reservation.status)
    if extension.ends_at > latest_ends_at:
        raise ExtensionUnavailable("The stay cannot last until then.", latest_ends_at=latest_ends_at)
    return replace(reservation, extensions=(*reservation.extensions, extension))


def check_extendable(reservation: Reservation, now: datetime) -> None:
    """Raises WrongState unless the stay is paid and still running or ahead."""
    running = reservation.status in (ReservationStatus.CONFIRMED, ReservationStatus.ACTIVE)
    if not running or now >= reservation.ends_at:
        raise WrongState("Only a paid stay that has not ended can be extended.", reservation_status=reservation.status)


def latest_end(reservation: Reservation, calendar: Calendar) -> datetime:
    """Until when the stay can be extended: the next booking less the turnover, and never over the limits."""
    if len(reservation.extensions) >= MOST_EXTENSIONS:
        return reservation.ends_at
    limits = [reservation.starts_at + LONGEST_STAY, reservation.ends_at + LONGEST_EXTENSION]
    following = calendar.next_start_after(reservation.ends_at, but=reservation.reservation_id)
    if following:
        limits.append(following - timedelta(minutes=reservation.turnover_minutes))
    return max(min(limits), reservation.ends_at)


def taken_next(reservation: Reservation, calendar: Calendar, step: timedelta) -> bool:
    """True if it is the next booking that leaves no room for even one step more."""
    following = calendar.next_start_after(reservation.ends_at, but=reservation.reservation_id)
    turnover = timedelta(minutes=reservation.turnover_minutes)
    return following is not None and following - turnover < reservation.ends_at + step


def check_extension_payable(reservation: Reservation, extension: Extension, now: datetime) -> None:
    """Raises AlreadyPaid, HoldExpired or WrongState unless the extension waits for its payment."""
    if extension.status is ExtensionStatus.CONFIRMED:
        raise AlreadyPaid("This extension is paid.")
    if extension.status is ExtensionStatus.EXPIRED or now >= extension.hold_expires_at:
        raise HoldExpired("The extension's hold has lapsed; ask again.")
    check_extendable(reservation, now)


def confirm_extension(reservation: Reservation, extension: Extension, payment: Payment, now: datetime) -> Reservation:
    """The end moves, because the extension is paid. Raises AlreadyPaid, HoldExpired or WrongState."""
    check_extension_payable(reservation, extension, now)
    return _longer(reservation, extension, payment)


def confirm_extension_late(
    reservation: Reservation, extension: Extension, payment: Payment, now: datetime
) -> Reservation:
    """The end moves by money that a card has paid already, even if the extension's hold has lapsed.

    The caller checks that the interval is still free. Raises AlreadyPaid or WrongState if it cannot be had any more.
    """
    if extension.status is ExtensionStatus.CONFIRMED:
        raise AlreadyPaid("This extension is paid.")
    check_extendable(reservation, now)
    if reservation.ends_at != extension.previous_ends_at or reservation.open_extension not in (None, extension):
        raise WrongState("The stay was extended otherwise.", reservation_status=reservation.status)
    return _longer(reservation, extension, payment)


def _longer(reservation: Reservation, extension: Extension, payment: Payment) -> Reservation:
    paid = replace(extension, status=ExtensionStatus.CONFIRMED, payment_id=payment.payment_id)
    return replace(with_extension(reservation, paid), ends_at=extension.ends_at, finish_due_at=None)
