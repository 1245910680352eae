"""Finding spots on the map."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from parking.domain.area import Area, Rank
from parking.domain.blocker import Blocker
from parking.domain.health import Health
from parking.domain.pricing import quote_stay
from parking.domain.reservation import LONGEST_STAY
from parking.domain.spot import ServiceState, Spot
from parking.domain.time import Interval
from parking.domain.watching import health_at
from parking.services.ports import Store
from parking.services.spots import READ_BATCH, free_spots

LONGEST_WINDOW = LONGEST_STAY
LOOKED_AT_MAX = 1_000  # in one page, where the filters let few through


@dataclass(frozen=True, slots=True)
class FoundSpot:
    """A search result. `available` is None where no window was asked for."""

    spot: Spot
    distance_m: float
    blocker: Blocker | None
    available: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What else a spot must be, besides in service."""

    blocker_online: bool = False
    """Online, not only connected: one that is silent cannot be promised."""
    price_minor_max: int | None = None
    """For the window; for an hour where there is none."""


@dataclass(frozen=True, slots=True)
class FoundPage:
    """Some of the results, and the rank behind which the next page begins (None: this was the last)."""

    items: list[FoundSpot]
    following: Rank | None


def search(
    store: Store,
    area: Area,
    now: datetime,
    *,
    window: Interval | None,
    filters: Filters,
    after: Rank | None,
    limit: int,
) -> FoundPage:
    """The spots in service in the area that pass the filters, the nearest to its middle first.

    At most 1,000 spots are looked at for a page: one that the filters leave short goes on behind them.
    """
    ahead = islice(store.spots_near(area, after), LOOKED_AT_MAX)
    kept: list[tuple[Spot, Blocker | None]] = []
    looked_at, last, step = 0, after, 1
    # As many as are missing, one more to know whether a page follows; and more each time that it was not enough.
    while spots := tuple(islice(ahead, min(READ_BATCH, max(limit + 1 - len(kept), step)))):
        kept += _wanted(store, spots, window, filters, now)
        looked_at, last, step = looked_at + len(spots), Rank.of(spots[-1], area), 2 * step
        if len(kept) > limit:
            last = Rank.of(kept[limit - 1][0], area)
            break
    more = len(kept) > limit or looked_at == LOOKED_AT_MAX
    return FoundPage(_shown(store, kept[:limit], area, window), last if more else None)


def _wanted(
    store: Store, spots: Sequence[Spot], window: Interval | None, filters: Filters, now: datetime
) -> list[tuple[Spot, Blocker | None]]:
    """Those of the spots that pass the filters, with their blockers."""
    candidates = [
        spot
        for spot in spots
        if spot.service_state is ServiceState.IN_SERVICE
        and (filters.price_minor_max is None or _price_minor(spot, window) <= filters.price_minor_max)
    ]
    blockers = {one.blocker_id: one for one in store.get_many(Blocker, [(spot.blocker_id,) for spot in candidates])}
    found = [(spot, blockers.get(spot.blocker_id)) for spot in candidates]
    if not filters.blocker_online:
        return found
    return [(spot, blocker) for spot, blocker in found if blocker and health_at(blocker, now) is Health.ONLINE]


def _price_minor(spot: Spot, window: Interval | None) -> int:
    if window is None:
        return spot.tariff.price_per_hour_minor
    return quote_stay(spot.tariff, window, spot.time_zone).amount_minor


def _shown(
    store: Store, found: Sequence[tuple[Spot, Blocker | None]], area: Area, window: Interval | None
) -> list[FoundSpot]:
    free = free_spots(store, [spot for spot, _ in found], window) if window else None
    return [
        FoundSpot(
            spot,
            spot.location.distance_m(area.centre),
            blocker,
            None if free is None else spot.spot_id in free,
        )
        for spot, blocker in found
    ]
