"""Places, rates and availability for other systems, shaped after APDS (ISO 5206-1); docs/export.md says how closely."""

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from parking.domain.spot import Spot
from parking.domain.tariff import Band, Tariff, Weekday
from parking.http import Instant, Out
from parking.services.search import FoundPage, FoundSpot
from spots.geojson import PointOut

MINOR_PER_MAJOR = 100  # APDS speaks of money in major units


class ApdsOut(Out):
    """APDS writes its names in camelCase."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, serialize_by_alias=True)


class TextOut(ApdsOut):
    """A text in one language."""

    language: str = "en"
    string: str


class RateLineOut(ApdsOut):
    """`value` in major units for each `increment_period`, an ISO 8601 duration."""

    sequence: int
    description: list[TextOut]
    rate_line_type: Literal["incrementingRate"] = "incrementingRate"
    increment_period: str
    value: float


class RateLineCollectionOut(ApdsOut):
    """What time costs; `min_time` is the shortest stay."""

    collection_sequence: int
    applicable_currency: str
    tax_included: bool
    min_time: str
    rate_lines: list[RateLineOut]


class RateTableOut(ApdsOut):
    """The tariff of a place."""

    id: str
    version: int
    rate_table_name: list[TextOut]
    availability: Literal["public"] = "public"
    rate_type: Literal["hourly"] = "hourly"
    rate_line_collections: list[RateLineCollectionOut]

    @classmethod
    def of(cls, spot: Spot) -> "RateTableOut":
        """The spot's tariff; a new version of the tariff is a new version of the table."""
        tariff = spot.tariff
        name = [TextOut(string=f"Rates of {spot.name}")]
        return cls(
            id=f"{spot.spot_id}-rates",
            version=tariff.version,
            rate_table_name=name,
            rate_line_collections=[_collection(tariff)],
        )


class SupplyOut(ApdsOut):
    """How many cars fit."""

    supply_view_type: Literal["spaceView"] = "spaceView"
    supply_quantity: int = 1


class DemandTypeOut(ApdsOut):
    """How many spaces are taken: 1 if the spot is booked at this moment."""

    count: int


class DemandOut(ApdsOut):
    """The demand at a moment."""

    timestamp: Instant
    demand_type: list[DemandTypeOut]


class ElementReferenceOut(ApdsOut):
    """Supply of a place and demand for it."""

    supply: list[SupplyOut]
    demand_table: list[DemandOut]


class PlaceOut(ApdsOut):
    """One spot."""

    id: str
    version: int
    type: Literal["place"] = "place"
    layer: int = 0
    name: list[TextOut]
    description: list[TextOut]
    time_zone: str
    indicative_point_location: PointOut
    hierarchy_element_reference: ElementReferenceOut
    rates: list[RateTableOut]

    @classmethod
    def of(cls, found: FoundSpot, now: datetime) -> "PlaceOut":
        """The spot with its rates and whether it is taken now."""
        spot = found.spot
        demand = DemandOut(timestamp=now, demand_type=[DemandTypeOut(count=0 if found.available else 1)])
        return cls(
            id=spot.spot_id,
            version=spot.version,
            name=[TextOut(string=spot.name)],
            description=[TextOut(string=spot.address)],
            time_zone=spot.time_zone,
            indicative_point_location=PointOut(coordinates=[spot.location.longitude, spot.location.latitude]),
            hierarchy_element_reference=ElementReferenceOut(supply=[SupplyOut()], demand_table=[demand]),
            rates=[RateTableOut.of(spot)],
        )


class MetaOut(ApdsOut):
    """When the page was made, in seconds since 1970, and how many places it holds at most."""

    reference_instant: int
    page_size: int
    next_cursor: str | None


class PlacesOut(ApdsOut):
    """A page of places."""

    meta: MetaOut
    data: list[PlaceOut]

    @classmethod
    def of(cls, page: FoundPage, limit: int, next_cursor: str | None, now: datetime) -> "PlacesOut":
        """The page of a search as places."""
        meta = MetaOut(reference_instant=int(now.timestamp()), page_size=limit, next_cursor=next_cursor)
        return cls(meta=meta, data=[PlaceOut.of(found, now) for found in page.items])


def _collection(tariff: Tariff) -> RateLineCollectionOut:
    """The price of every other hour first, then each band's; the daily cap is said in words."""
    base = f"Per hour, by started {tariff.step_minutes} min"
    if tariff.daily_cap_minor is not None:
        base += f"; at most {tariff.daily_cap_minor / MINOR_PER_MAJOR:.2f} a day"
    prices = [(base, tariff.price_per_hour_minor)]
    prices += [(f"Per hour, {_days(band)}, {band.label}", band.price_per_hour_minor) for band in tariff.bands]
    lines = [
        RateLineOut(
            sequence=number,
            description=[TextOut(string=text)],
            increment_period="PT1H",
            value=price_minor / MINOR_PER_MAJOR,
        )
        for number, (text, price_minor) in enumerate(prices, start=1)
    ]
    return RateLineCollectionOut(
        collection_sequence=1,
        applicable_currency=tariff.currency,
        tax_included=tariff.tax_included,
        min_time=f"PT{tariff.minimum_minutes}M",
        rate_lines=lines,
    )


def _days(band: Band) -> str:
    return ", ".join(day.title() for day in Weekday if day in band.weekdays)
