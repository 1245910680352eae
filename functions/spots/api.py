"""GET /spots and what belongs to one spot."""

from datetime import date
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from parking import wiring
from parking.domain.blocker import Blocker
from parking.domain.errors import InvalidField
from parking.domain.ids import SpotId
from parking.domain.spot import Location
from parking.domain.time import Interval
from parking.http import Door, IdPath, Instant, documented, entry
from parking.schemas import PriceOut
from parking.services import spots
from spots.schemas import AvailabilityOut, FoundSpotOut, IntervalOut, QuoteOut, SpotOut, SpotsOut

LARGEST_RADIUS_M = 5_000

door = Door()
app = door.app
handler = entry(door)


def _interval(starts_at: Instant, ends_at: Instant) -> Interval:
    if ends_at <= starts_at:
        raise InvalidField("ends_at", "is not after starts_at")
    return Interval(starts_at, ends_at)


@app.get(
    "/spots",
    summary="Find spots around a point",
    tags=["spots"],
    responses=documented(HTTPStatus.OK, SpotsOut),
)
def search(
    lat: Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)],
    lon: Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)],
    radius_m: Annotated[float, Query(gt=0, le=LARGEST_RADIUS_M, allow_inf_nan=False)] = 1_000,
    starts_at: Annotated[Instant | None, Query()] = None,
    ends_at: Annotated[Instant | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> SpotsOut:
    """Spots in service, nearest first; with a window, whether each is free then."""
    if (starts_at is None) != (ends_at is None):
        raise InvalidField("ends_at" if ends_at is None else "starts_at", "give both ends of the window, or none")
    window = _interval(starts_at, ends_at) if starts_at and ends_at else None
    if window and window.duration > spots.LONGEST_WINDOW:
        raise InvalidField("ends_at", "the window is at most 7 days long")
    found = spots.search(wiring.store(), centre=Location(lat, lon), radius_m=radius_m, window=window, limit=limit)
    return SpotsOut(items=[FoundSpotOut.found(one) for one in found])


@app.get(
    "/spots/<spot_id>",
    summary="One spot",
    tags=["spots"],
    responses=documented(HTTPStatus.OK, SpotOut, HTTPStatus.NOT_FOUND),
)
def get(spot_id: IdPath) -> SpotOut:
    """One spot with its tariff and barrier."""
    spot = spots.spot_of(wiring.store(), SpotId(spot_id))
    return SpotOut.of(spot, wiring.store().get(Blocker, spot.blocker_id))


@app.get(
    "/spots/<spot_id>/availability",
    summary="When a spot is free on a day",
    tags=["spots"],
    responses=documented(HTTPStatus.OK, AvailabilityOut, HTTPStatus.NOT_FOUND),
)
def availability(
    spot_id: IdPath, day: Annotated[date, Query(description="A day at the spot: 2026-01-31")]
) -> AvailabilityOut:
    """The free intervals of a local day, from now on."""
    spot = spots.spot_of(wiring.store(), SpotId(spot_id))
    free = spots.availability(wiring.store(), spot, day, door.now)
    return AvailabilityOut(
        spot_id=spot_id, day=day.isoformat(), time_zone=spot.time_zone, free=[IntervalOut.of(one) for one in free]
    )


@app.get(
    "/spots/<spot_id>/quote",
    summary="What a stay costs",
    tags=["spots"],
    responses=documented(HTTPStatus.OK, QuoteOut, HTTPStatus.NOT_FOUND),
)
def quote(spot_id: IdPath, starts_at: Annotated[Instant, Query()], ends_at: Annotated[Instant, Query()]) -> QuoteOut:
    """Price lines, amount, and whether the interval is free."""
    stay = _interval(starts_at, ends_at)
    price, free = spots.quote(wiring.store(), SpotId(spot_id), stay, door.now)
    return QuoteOut(
        **PriceOut.of(price).model_dump(), spot_id=spot_id, starts_at=starts_at, ends_at=ends_at, available=free
    )
