"""What a driver gets who cannot rely on the spot: word, then another spot or the money back."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from parking.domain.area import Circle
from parking.domain.blocker import Blocker, Occupancy
from parking.domain.calendar import Calendar
from parking.domain.displacing import (
    WARN_BEFORE_START,
    WITHIN_M,
    check_displaced,
    is_to_be_offered,
    is_to_be_warned,
    moved_to,
    waits_for_the_spot,
)
from parking.domain.ending import hear_of_next
from parking.domain.errors import SpotUnavailable
from parking.domain.extending import taken_next
from parking.domain.health import Health
from parking.domain.ids import ReservationId, SpotId, UserId
from parking.domain.reservation import ARRIVAL_LEAD, Reservation, showing
from parking.domain.spot import ServiceState, Spot
from parking.domain.time import Interval
from parking.domain.watching import health_at
from parking.services import notices
from parking.services.commit import until_committed
from parking.services.neighbours import days_with_neighbours, with_neighbour_told
from parking.services.open_payments import abandoned
from parking.services.owned import reservation_of
from parking.services.ports import Aggregate, Store
from parking.services.refunds import due_back
from parking.services.search import Filters, FoundSpot, search
from parking.services.spots import spot_of

MOST_OFFERED = 3
LOOKED_AT = 100  # the nearest spots with a reachable blocker; a driver in need does not walk past more


@dataclass(slots=True)
class Told:
    """What a commit has to write for those who wait, and what must be as it was read for it to be true."""

    saves: list[Aggregate] = field(default_factory=list)
    unchanged: list[Aggregate] = field(default_factory=list)


def tell_who_waits(store: Store, overstayer: Reservation, now: datetime) -> Told:
    """The drivers who have the spot now or soon, while the overstayer's car is seen on it.

    It belongs into the commit of the look at the overstayer, so that it is told only while that stay goes on.
    """
    told = Told()
    soon = Interval(now, now + WARN_BEFORE_START + timedelta(microseconds=1))
    keys = [
        (claim.user_id, claim.reservation_id)
        for claim in store.calendar(overstayer.spot_id, soon.utc_days()).claims
        if claim.reservation_id != overstayer.reservation_id and claim.stay.overlaps(soon)
    ]
    for waiting in store.get_many(Reservation, keys) if keys else []:
        if not waits_for_the_spot(waiting, now):
            continue
        if is_to_be_warned(waiting, now):
            warned = replace(waiting, told_occupied_at=now)
            told.saves += [warned, notices.still_occupied(warned, now)]
        elif is_to_be_offered(waiting, now):
            _offer(store, waiting, told, now)
    return told


def alternatives(store: Store, user_id: UserId, reservation_id: ReservationId, now: datetime) -> list[FoundSpot]:
    """At most three spots nearby that could take the stay now, the nearest first. Raises NotFound, WrongState."""
    reservation = reservation_of(store, user_id, reservation_id)
    check_displaced(reservation, now)
    return _alternatives(store, reservation, now)


def move(store: Store, user_id: UserId, reservation_id: ReservationId, spot_id: SpotId, now: datetime) -> Reservation:
    """The stay goes on at another spot, at the same price. Asking again changes nothing.

    Raises NotFound, WrongState, SpotUnavailable.
    """

    def attempt() -> Reservation:
        before = reservation_of(store, user_id, reservation_id)
        if before.moved and before.spot_id == spot_id and not before.let_down:
            return before
        check_displaced(before, now)
        here, spot = spot_of(store, before.spot_id), spot_of(store, spot_id)
        blocker = store.get(Blocker, spot.blocker_id)
        near = spot.location.distance_m(here.location) <= WITHIN_M
        if blocker is None or not near or not _equivalent(spot, blocker, before, now):
            raise SpotUnavailable("This spot cannot take your stay now; ask for the alternatives again.")
        after = moved_to(before, spot, now)
        old, new = _calendar(store, before, here), _calendar(store, after, spot)
        claimed = showing(new, after)
        days = (*old.without(reservation_id).changed_from(old), *claimed.changed_from(new))
        if taken_next(after, claimed, spot.tariff.step):
            after = hear_of_next(after, now)
        saves = with_neighbour_told(store, [after, *days], claimed, after, spot.tariff.step, now)
        store.commit(*saves, *abandoned(store, before, after, now), unchanged=(blocker,))
        return after

    return until_committed(attempt)


def _offer(store: Store, waiting: Reservation, told: Told, now: datetime) -> None:
    displaced = replace(waiting, displaced_at=now)
    refund_minor, credit_minor = due_back(store, waiting)
    nearest = None
    for found in _alternatives(store, waiting, now):
        elsewhere = moved_to(displaced, found.spot, now)
        calendar = _calendar(store, elsewhere, found.spot)
        if elsewhere.claim and found.blocker and not calendar.conflicts(elsewhere.claim):
            nearest = found.spot
            told.unchanged += [found.blocker, *calendar.days]
            break
    told.saves += [displaced, notices.offered(displaced, nearest, refund_minor, credit_minor, now)]


def _alternatives(store: Store, reservation: Reservation, now: datetime) -> list[FoundSpot]:
    area = Circle(spot_of(store, reservation.spot_id).location, WITHIN_M)
    rest = Interval(max(now.replace(microsecond=0), reservation.starts_at), reservation.ends_at)
    reachable = Filters(blocker_online=_begins_soon(reservation, now))
    page = search(store, area, now, window=rest, filters=reachable, after=None, limit=LOOKED_AT)
    good = [
        one
        for one in page.items
        if one.available and one.blocker and _equivalent(one.spot, one.blocker, reservation, now)
    ]
    return good[:MOST_OFFERED]


def _equivalent(spot: Spot, blocker: Blocker, reservation: Reservation, now: datetime) -> bool:
    """True if the stay could be there, as far as the calendar allows; what the machine sees counts for one so near."""
    other = spot.spot_id != reservation.spot_id and spot.service_state is ServiceState.IN_SERVICE
    ready = health_at(blocker, now) is Health.ONLINE and blocker.occupancy(now) is Occupancy.VACANT
    ready = ready or not _begins_soon(reservation, now)
    return other and ready and spot.tariff.currency == reservation.quote.currency


def _begins_soon(reservation: Reservation, now: datetime) -> bool:
    return reservation.starts_at - ARRIVAL_LEAD <= now


def _calendar(store: Store, reservation: Reservation, spot: Spot) -> Calendar:
    claim = reservation.claim
    days = days_with_neighbours(claim, spot.turnover_minutes, spot.tariff.step) if claim else []
    return store.calendar(spot.spot_id, days)
