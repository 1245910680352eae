"""A way in where the network fails: a code that the barrier can check by itself (decision 43)."""

from dataclasses import dataclass
from datetime import datetime

from parking.domain.ids import ReservationId, UserId
from parking.domain.offline_entry import check_needs_code, good_until, step_at
from parking.services.owned import reservation_of
from parking.services.ports import EntryCodes, Store


@dataclass(frozen=True, slots=True)
class OfflineCode:
    """Digits to type at the barrier, and until when they are good."""

    code: str
    expires_at: datetime


def offline_code(
    store: Store, codes: EntryCodes, user_id: UserId, reservation_id: ReservationId, now: datetime
) -> OfflineCode:
    """The code of a stay whose driver stands before a barrier that has not gone down.

    Nothing is written, and it is the same within a step. That it was used is known when the device reports.
    Raises NotFound, WrongState, OfflineCodeUnavailable.
    """
    reservation = reservation_of(store, user_id, reservation_id)
    check_needs_code(reservation, now)
    step = step_at(now)
    return OfflineCode(codes.code(reservation.blocker_id, reservation_id, step), good_until(step))
