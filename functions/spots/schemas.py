"""What the map says of a spot."""

from parking.domain.blocker import Blocker, Connectivity, Position
from parking.domain.spot import ServiceState, Spot
from parking.domain.tariff import Band, Tariff, Weekday
from parking.domain.time import Interval
from parking.http import Instant, Out
from parking.schemas import PriceOut
from parking.services.search import FoundPage, FoundSpot


class LocationOut(Out):
    """WGS 84 degrees."""

    lat: float
    lon: float


class BandOut(Out):
    """Hours of the week with a price of their own, by the clock at the spot.

    It begins on its weekdays. An end at or before the start is on the next day, and does not belong to it.
    """

    name: str
    weekdays: list[Weekday]
    start_time: str
    end_time: str
    price_per_hour: int

    @classmethod
    def of(cls, band: Band) -> "BandOut":
        """The band, its weekdays in the order of the week."""
        return cls(
            name=band.name,
            weekdays=[weekday for weekday in Weekday if weekday in band.weekdays],
            start_time=f"{band.start_time:%H:%M}",
            end_time=f"{band.end_time:%H:%M}",
            price_per_hour=band.price_per_hour_minor,
        )


class OverstayTermsOut(Out):
    """What time after the end costs: a price per hour, up to the cap."""

    price_per_hour: int
    cap: int


class TariffOut(Out):
    """Prices in minor units of the currency. `price_per_hour` holds outside of the bands.

    Started steps count whole; `daily_cap` is the most that one local day of a stay costs.
    """

    price_per_hour: int
    currency: str
    step_minutes: int
    minimum_minutes: int
    bands: list[BandOut]
    daily_cap: int | None
    overstay: OverstayTermsOut
    tax_included: bool
    version: int

    @classmethod
    def of(cls, tariff: Tariff) -> "TariffOut":
        """The tariff as the app shows it."""
        return cls(
            price_per_hour=tariff.price_per_hour_minor,
            currency=tariff.currency,
            step_minutes=tariff.step_minutes,
            minimum_minutes=tariff.minimum_minutes,
            bands=[BandOut.of(band) for band in tariff.bands],
            daily_cap=tariff.daily_cap_minor,
            overstay=OverstayTermsOut(
                price_per_hour=tariff.overstay.price_per_hour_minor, cap=tariff.overstay.cap_minor
            ),
            tax_included=tariff.tax_included,
            version=tariff.version,
        )


class BlockerStateOut(Out):
    """The barrier by its last report."""

    position: Position
    connectivity: Connectivity


class SpotOut(Out):
    """One spot."""

    spot_id: str
    name: str
    address: str
    location: LocationOut
    time_zone: str
    tariff: TariffOut
    turnover_minutes: int
    service_state: ServiceState
    blocker: BlockerStateOut | None

    @classmethod
    def of(cls, spot: Spot, blocker: Blocker | None) -> "SpotOut":
        """The spot with its barrier's state."""
        return cls(**_members(spot, blocker))


class FoundSpotOut(SpotOut):
    """A search result. `available` is null where no window was asked for."""

    distance_m: int
    available: bool | None

    @classmethod
    def found(cls, found: FoundSpot) -> "FoundSpotOut":
        """The spot with its distance and whether the window is free."""
        members = _members(found.spot, found.blocker)
        return cls(**members, distance_m=round(found.distance_m), available=found.available)


class SpotsOut(Out):
    """A page of spots by distance; it may be short, and yet not the last, where filters let few through."""

    items: list[FoundSpotOut]
    next_cursor: str | None

    @classmethod
    def of(cls, page: FoundPage, next_cursor: str | None) -> "SpotsOut":
        """The page as the app shows it."""
        return cls(items=[FoundSpotOut.found(one) for one in page.items], next_cursor=next_cursor)


class SpotListOut(Out):
    """All of a short list of the driver's own: there is never a next page."""

    items: list[SpotOut]
    next_cursor: None = None


class IntervalOut(Out):
    """Half-open: the end does not belong to it."""

    starts_at: Instant
    ends_at: Instant

    @classmethod
    def of(cls, interval: Interval) -> "IntervalOut":
        """The interval in UTC."""
        return cls(starts_at=interval.starts_at, ends_at=interval.ends_at)


class AvailabilityOut(Out):
    """The free intervals of one day as the spot's own clock counts it."""

    spot_id: str
    day: str
    time_zone: str
    free: list[IntervalOut]


class QuoteOut(PriceOut):
    """What a stay would cost, and whether the interval is free."""

    spot_id: str
    starts_at: Instant
    ends_at: Instant
    available: bool


def _members(spot: Spot, blocker: Blocker | None) -> dict[str, object]:
    return {
        "spot_id": spot.spot_id,
        "name": spot.name,
        "address": spot.address,
        "location": LocationOut(lat=spot.location.latitude, lon=spot.location.longitude),
        "time_zone": spot.time_zone,
        "tariff": TariffOut.of(spot.tariff),
        "turnover_minutes": spot.turnover_minutes,
        "service_state": spot.service_state,
        "blocker": BlockerStateOut(position=blocker.position, connectivity=blocker.connectivity) if blocker else None,
    }
