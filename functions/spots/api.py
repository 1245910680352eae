"""The map, what belongs to one spot, and the spots that a driver wants at hand."""

from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from parking import wiring
from parking.domain.area import LARGEST_REACH_M, Area, Box, Circle
from parking.domain.blocker import Blocker
from parking.domain.errors import InvalidField
from parking.domain.ids import SpotId
from parking.domain.spot import Location
from parking.domain.time import Interval
from parking.http import Cursor, Door, IdPath, Instant, Limit, answer, documented, entry, prefers
from parking.schemas import PriceOut
from parking.services import favourites, spots
from parking.services.search import LONGEST_WINDOW, Filters, search
from spots import cursor as cursors
from spots.export import PlacesOut
from spots.geojson import GEOJSON, FeaturesOut
from spots.schemas import AvailabilityOut, IntervalOut, QuoteOut, SpotListOut, SpotOut, SpotsOut

LARGEST_PRICE_MINOR = 100_000_000
THIS_MOMENT = timedelta(minutes=1)

Latitude = Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False)]
MaybeLatitude = Annotated[float | None, Query(ge=-90, le=90, allow_inf_nan=False)]
MaybeLongitude = Annotated[float | None, Query(ge=-180, le=180, allow_inf_nan=False)]

door = Door()
app = door.app
handler = entry(door)


def _interval(starts_at: Instant, ends_at: Instant) -> Interval:
    if ends_at <= starts_at:
        raise InvalidField("ends_at", "is not after starts_at")
    return Interval(starts_at, ends_at)


def _window(starts_at: Instant | None, ends_at: Instant | None) -> Interval | None:
    if (starts_at is None) != (ends_at is None):
        raise InvalidField("ends_at" if ends_at is None else "starts_at", "give both ends of the window, or none")
    window = _interval(starts_at, ends_at) if starts_at and ends_at else None
    if window and window.duration > LONGEST_WINDOW:
        raise InvalidField("ends_at", "the window is at most 7 days long")
    return window


def _area(lat: float | None, lon: float | None, radius_m: float, sides: dict[str, float | None]) -> Area:
    """A circle or a box, whichever is given whole. Raises InvalidField."""
    box = {name: side for name, side in sides.items() if side is not None}
    if not box and lat is not None and lon is not None:
        return Circle(Location(lat, lon), radius_m)
    if not box:
        raise InvalidField("lat" if lat is None else "lon", "give a point (lat, lon) or the four sides of a box")
    if lat is not None or lon is not None:
        raise InvalidField("lon" if lat is None else "lat", "give a point or a box, not both")
    for name in sides:
        if name not in box:
            raise InvalidField(name, "give all four sides of the box")
    return Box.between(box["min_lat"], box["min_lon"], box["max_lat"], box["max_lon"])


_FOUND = documented(HTTPStatus.OK, SpotsOut)
_FOUND[HTTPStatus.OK.value]["content"][GEOJSON] = {"model": FeaturesOut}


@app.get("/spots", summary="Find spots around a point or in a map's frame", tags=["spots"], responses=_FOUND)
def find_spots(
    *,
    lat: MaybeLatitude = None,
    lon: MaybeLongitude = None,
    radius_m: Annotated[float, Query(gt=0, le=LARGEST_REACH_M, allow_inf_nan=False)] = 1_000,
    min_lat: MaybeLatitude = None,
    min_lon: MaybeLongitude = None,
    max_lat: MaybeLatitude = None,
    max_lon: MaybeLongitude = None,
    starts_at: Annotated[Instant | None, Query()] = None,
    ends_at: Annotated[Instant | None, Query()] = None,
    blocker_online: Annotated[bool, Query(description="Only spots whose barrier can be reached.")] = False,
    max_price: Annotated[
        int | None,
        Query(ge=0, le=LARGEST_PRICE_MINOR, description="In minor units: for the window, or per hour without one."),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[Any]:
    """Spots in service, nearest to the point or to the box's middle first; with a window, whether each is free then.

    A box reaches at most 25 km from its middle. It spans the antimeridian if `min_lon` is greater than `max_lon`.
    With `Accept: application/geo+json` the answer is a FeatureCollection (RFC 7946).
    """
    sides = {"min_lat": min_lat, "min_lon": min_lon, "max_lat": max_lat, "max_lon": max_lon}
    area, window = _area(lat, lon, radius_m, sides), _window(starts_at, ends_at)
    filters = Filters(blocker_online=blocker_online, price_minor_max=max_price)
    fingerprint = cursors.fingerprint_of(area, window, filters)
    after = cursors.decoded(cursor, fingerprint) if cursor is not None else None
    page = search(wiring.store(), area, door.now, window=window, filters=filters, after=after, limit=limit)
    found = SpotsOut.of(page, cursors.encoded(page.following, fingerprint) if page.following else None)
    if prefers(app.current_event.headers.get("accept", ""), GEOJSON):
        return answer(FeaturesOut.of(found), media_type=GEOJSON)
    return answer(found)


@app.get(
    "/spots/<spot_id>",
    summary="One spot",
    tags=["spots"],
    responses=documented(HTTPStatus.OK, SpotOut, HTTPStatus.NOT_FOUND),
)
def get_spot(spot_id: IdPath) -> SpotOut:
    """One spot with its tariff and barrier."""
    spot = spots.spot_of(wiring.store(), SpotId(spot_id))
    return SpotOut.of(spot, wiring.store().get(Blocker, spot.blocker_id))


@app.get(
    "/spots/<spot_id>/availability",
    summary="When a spot is free on a day",
    tags=["spots"],
    responses=documented(HTTPStatus.OK, AvailabilityOut, HTTPStatus.NOT_FOUND),
)
def get_availability(
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
def get_quote(
    spot_id: IdPath, starts_at: Annotated[Instant, Query()], ends_at: Annotated[Instant, Query()]
) -> QuoteOut:
    """Price lines, amount, and whether the interval is free."""
    stay = _interval(starts_at, ends_at)
    price, free = spots.quote(wiring.store(), SpotId(spot_id), stay, door.now)
    return QuoteOut(
        **PriceOut.of(price).model_dump(), spot_id=spot_id, starts_at=starts_at, ends_at=ends_at, available=free
    )


@app.get(
    "/favourites",
    summary="My favourite spots",
    tags=["favourites"],
    responses=documented(HTTPStatus.OK, SpotListOut),
)
def list_favourites() -> SpotListOut:
    """The newest first; at most 50."""
    found = favourites.favourites_of(wiring.store(), door.user_id)
    return SpotListOut(items=[SpotOut.of(spot, blocker) for spot, blocker in found])


@app.put(
    "/favourites/<spot_id>",
    summary="Keep this spot at hand",
    tags=["favourites"],
    responses=documented(HTTPStatus.OK, SpotOut, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def add_favourite(spot_id: IdPath) -> SpotOut:
    """Adds it to the favourites; one that is there already stays where it is."""
    spot = favourites.add_favourite(wiring.store(), door.user_id, SpotId(spot_id))
    return SpotOut.of(spot, wiring.store().get(Blocker, spot.blocker_id))


@app.delete(
    "/favourites/<spot_id>",
    summary="Not a favourite any more",
    tags=["favourites"],
    responses=documented(HTTPStatus.NO_CONTENT, None, HTTPStatus.NOT_FOUND),
)
def remove_favourite(spot_id: IdPath) -> Response[Any]:
    """Takes it from the favourites."""
    favourites.remove_favourite(wiring.store(), door.user_id, SpotId(spot_id))
    return Response(HTTPStatus.NO_CONTENT.value, body="")


@app.get(
    "/recent-spots",
    summary="Where I parked last",
    tags=["favourites"],
    responses=documented(HTTPStatus.OK, SpotListOut),
)
def list_recent_spots() -> SpotListOut:
    """The spots of my last stays, the latest first; at most 10."""
    found = favourites.recent_spots(wiring.store(), door.user_id)
    return SpotListOut(items=[SpotOut.of(spot, blocker) for spot, blocker in found])


@app.get(
    "/export/places",
    summary="Places, rates and availability for other systems",
    tags=["export"],
    responses=documented(HTTPStatus.OK, PlacesOut),
)
def export_places(
    min_lat: Latitude,
    min_lon: Longitude,
    max_lat: Latitude,
    max_lon: Longitude,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response[Any]:
    """The spots in service in a box, shaped after APDS (ISO 5206-1), with what is booked at this moment.

    The names are APDS's own, so in camelCase, and money is in major units. Page with `meta.nextCursor`.
    """
    area, filters = Box.between(min_lat, min_lon, max_lat, max_lon), Filters()
    fingerprint = cursors.fingerprint_of(area, None, filters)
    after = cursors.decoded(cursor, fingerprint) if cursor is not None else None
    moment = Interval(door.now, door.now + THIS_MOMENT)
    page = search(wiring.store(), area, door.now, window=moment, filters=filters, after=after, limit=limit)
    next_cursor = cursors.encoded(page.following, fingerprint) if page.following else None
    return answer(PlacesOut.of(page, limit, next_cursor, door.now))
