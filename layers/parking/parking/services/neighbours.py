"""The driver before: told of who is next, and seen if the car stays."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from parking.domain.blocker import Blocker
from parking.domain.calendar import Calendar, Claim
from parking.domain.ending import hear_of_next
from parking.domain.extending import taken_next
from parking.domain.guarding import car_is_seen
from parking.domain.reservation import RECHECK, TELL_BEFORE_END, Reservation, ReservationStatus
from parking.domain.time import Interval
from parking.services.ports import Aggregate, Store

_RUNNING = (ReservationStatus.CONFIRMED, ReservationStatus.ACTIVE)


def days_with_neighbours(claim: Claim, turnover_minutes: int, step: timedelta) -> list[date]:
    """The days of a claim, and of a stay before or after it that leaves no room between them for one step more."""
    reach = claim.stay.starts_at - timedelta(minutes=turnover_minutes) - step
    return Interval(reach, claim.blocked_until + step).utc_days()


def with_neighbour_told(
    store: Store, saves: Sequence[Aggregate], calendar: Calendar, newcomer: Reservation, step: timedelta, now: datetime
) -> list[Aggregate]:
    """What the newcomer's commit saves, and in it the stay before, if its driver was told of the end or soon will be.

    `calendar` shows the newcomer, over `days_with_neighbours`. The stay is saved even where nothing changes: so no
    notice can be written meanwhile that does not know of the newcomer.
    """
    claim = newcomer.claim
    before = calendar.last_before(claim.stay.starts_at) if claim else None
    if before is None or not before.stay.ends_at - TELL_BEFORE_END - RECHECK <= now < before.stay.ends_at:
        return list(saves)
    key = (before.user_id, before.reservation_id)
    changed = (one for one in saves if isinstance(one, Reservation) and one.key == key)
    holder = next(changed, None) or store.get(Reservation, *key)
    if holder is None or holder.status not in _RUNNING or not taken_next(holder, calendar, step):
        return list(saves)
    return [*(one for one in saves if one.key != key), hear_of_next(holder, now)]


def parked_instead(store: Store, reservation: Reservation, blocker: Blocker, now: datetime) -> Reservation | None:
    """The other stay, which goes on here, whose car is seen on the spot: over by now, or begun ahead of its time."""
    served = blocker.last_served
    if served is None or served.user_id is None or served.reservation_id in (None, reservation.reservation_id):
        return None
    other = store.get(Reservation, served.user_id, served.reservation_id)
    if other is None or other.status is not ReservationStatus.ACTIVE or other.blocker_id != blocker.blocker_id:
        return None
    return other if car_is_seen(other, blocker, now) else None
