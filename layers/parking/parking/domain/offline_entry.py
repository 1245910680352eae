"""The code that a driver types at a barrier that has no network: when there is one, and how long it is good.

Both sides count time in steps (RFC 6238); the device's half is device/parking_blocker/offline_code.py.
"""

from datetime import UTC, datetime, timedelta

from parking.domain.errors import OfflineCodeUnavailable, WrongState
from parking.domain.reservation import LOWER_WITHIN, Reservation, ReservationStatus

CODE_STEP = timedelta(minutes=2)
CODE_GOOD_FOR_STEPS = 2  # after its own

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_needs_code(reservation: Reservation, now: datetime) -> None:
    """Raises WrongState or OfflineCodeUnavailable unless its driver stands before a barrier that has not gone down."""
    if reservation.status is not ReservationStatus.CONFIRMED:
        raise WrongState(f"The reservation is {reservation.status}.", reservation_status=reservation.status)
    if now >= reservation.ends_at:
        raise WrongState("The stay is over.", reservation_status=reservation.status)
    asked = reservation.arrival_requested_at
    if asked is None:
        raise OfflineCodeUnavailable("Say first that you are here; the barrier is then lowered from afar.")
    if now - asked < LOWER_WITHIN:
        raise OfflineCodeUnavailable("The barrier may still go down by itself.", available_at=asked + LOWER_WITHIN)


def step_at(now: datetime) -> int:
    """The number of the time step."""
    return (now - _EPOCH) // CODE_STEP


def good_until(step: int) -> datetime:
    """From when on a code of this step opens nothing any more, by a device whose clock is right."""
    return _EPOCH + (step + CODE_GOOD_FOR_STEPS + 1) * CODE_STEP
