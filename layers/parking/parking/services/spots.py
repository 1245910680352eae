"""One spot: its price, its free time, and how it comes onto the map."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from parking.domain.blocker import Blocker
from parking.domain.calendar import Calendar, CalendarDay, Claim
from parking.domain.enrolment import Enrolment
from parking.domain.errors import InvalidField, NotFound
from parking.domain.ids import ReservationId, SpotId, UserId
from parking.domain.pricing import quote_stay
from parking.domain.reservation import FARTHEST_START, check_stay
from parking.domain.spot import ServiceState, Spot
from parking.domain.tariff import Quote
from parking.domain.time import Interval, local_day
from parking.services.commit import until_committed
from parking.services.ports import Aggregate, Certificate, Store, Things

READ_BATCH = 100  # DynamoDB's limit of keys in one BatchGetItem


def spot_of(store: Store, spot_id: SpotId) -> Spot:
    """One spot. Raises NotFound."""
    spot = store.get(Spot, spot_id)
    if spot is None:
        raise NotFound("There is no such spot.", field="spot_id")
    return spot


def quote(store: Store, spot_id: SpotId, stay: Interval, now: datetime) -> tuple[Quote, bool]:
    """What the stay costs, and whether its interval is free. Raises NotFound, InvalidField."""
    spot = spot_of(store, spot_id)
    check_stay(spot, stay, now)
    in_service = spot.service_state is ServiceState.IN_SERVICE
    return quote_stay(spot.tariff, stay, spot.time_zone), in_service and bool(free_spots(store, [spot], stay))


def availability(store: Store, spot: Spot, day: date, now: datetime) -> list[Interval]:
    """The free intervals of one day at the spot, as its own clock counts the day, the past left out.

    Raises InvalidField for a day that is over or farther ahead than anyone can book.
    """
    if not now.date() - timedelta(days=1) <= day <= (now + FARTHEST_START).date() + timedelta(days=1):
        raise InvalidField("day", "is not between today and 90 days from now")
    whole = local_day(day, spot.time_zone)
    if whole.ends_at <= now or spot.service_state is ServiceState.OUT_OF_SERVICE:
        return []
    window = Interval(max(whole.starts_at, now), whole.ends_at)
    turnover = timedelta(minutes=spot.turnover_minutes)
    reach = Interval(window.starts_at, window.ends_at + turnover)
    return store.calendar(spot.spot_id, reach.utc_days()).free_within(window, spot.turnover_minutes)


def free_spots(store: Store, spots: Sequence[Spot], window: Interval) -> set[SpotId]:
    """The ids of the spots whose calendars have room for the window."""
    wanted = {spot.spot_id: _wanted(spot, window) for spot in spots}
    keys = [(spot_id, day.isoformat()) for spot_id, claim in wanted.items() for day in _days_to_read(claim)]
    days: dict[SpotId, list[CalendarDay]] = {}
    for start in range(0, len(keys), READ_BATCH):
        for day in store.get_many(CalendarDay, keys[start : start + READ_BATCH]):
            days.setdefault(day.spot_id, []).append(day)
    return {
        spot_id
        for spot_id, claim in wanted.items()
        if not any(
            other.blocked.overlaps(claim.blocked) for other in Calendar(spot_id, tuple(days.get(spot_id, ()))).claims
        )
    }


@dataclass(frozen=True, slots=True)
class Provisioned:
    """What the operator gets back; certificate and code only when they were made."""

    spot: Spot
    blocker: Blocker
    certificate: Certificate | None
    code: str | None


@dataclass(frozen=True, slots=True)
class CodeInstead:
    """A new blocker's device fetches its certificate itself, with this code (docs/operations/blockers.md)."""

    code: str
    now: datetime


def provision(
    store: Store, things: Things, wish: Spot, *, new_certificate: bool, instead: CodeInstead | None = None
) -> Provisioned:
    """Put a spot and its blocker on the map, or bring the stored spot up to the wish.

    The wish's service state is the one that a new spot begins with: who takes a spot off the map says why
    (services/operating.py), and a list that is sent again must not put it back on. A changed tariff gets the next
    version, so that sold prices keep theirs. The blocker's certificate is made the first time and when asked for; that
    cuts off every earlier one. With a code instead, a new blocker gets none here. A known one that has none waits for
    its device, or was cut off: a list that is sent again must not change that either.
    """
    known = store.get(Blocker, wish.blocker_id)
    wants_certificate = new_certificate or (known is None and instead is None)
    certificate = things.register(wish.blocker_id) if wants_certificate else None

    def attempt() -> Provisioned:
        stored = store.get(Spot, wish.spot_id)
        spot = _updated(stored, wish) if stored else wish
        before = store.get(Blocker, wish.blocker_id)
        blocker = before or Blocker(blocker_id=wish.blocker_id, spot_id=wish.spot_id)
        if certificate:
            blocker = replace(blocker, certificate_id=certificate.certificate_id)
        saves: list[Aggregate] = [new for new, old in ((spot, stored), (blocker, before)) if new != old]
        code = instead.code if instead and before is None else None
        if instead and code:
            saves.append(Enrolment(blocker_id=wish.blocker_id).with_code(code, instead.now))
        if saves:
            store.commit(*saves)
        return Provisioned(spot, blocker, certificate, code)

    return until_committed(attempt)


class Would(StrEnum):
    """What provisioning would do to a spot."""

    CREATE = "CREATE"
    CHANGE = "CHANGE"
    NOTHING = "NOTHING"


def foresee(store: Store, wish: Spot) -> Would:
    """What `provision` would do."""
    stored = store.get(Spot, wish.spot_id)
    if stored is None:
        return Would.CREATE
    return Would.NOTHING if _updated(stored, wish) == stored else Would.CHANGE


def _updated(stored: Spot, wish: Spot) -> Spot:
    same_price = replace(wish.tariff, version=stored.tariff.version) == stored.tariff
    tariff_version = stored.tariff.version if same_price else stored.tariff.version + 1
    return replace(
        wish,
        version=stored.version,
        tariff=replace(wish.tariff, version=tariff_version),
        service_state=stored.service_state,
    )


def _wanted(spot: Spot, window: Interval) -> Claim:
    return Claim.of(UserId(""), ReservationId(""), window, spot.turnover_minutes)


def _days_to_read(claim: Claim) -> list[date]:
    return claim.blocked.utc_days()
