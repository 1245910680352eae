"""Items of the Spots table."""

from datetime import time

from pynamodb.attributes import (
    BooleanAttribute,
    ListAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)

from parking.adapters.dynamodb.attributes import EnumAttribute, IntegerAttribute, TypedMap, VersionedModel
from parking.adapters.dynamodb.cells import cell_of, region_of
from parking.domain.blocker import Position
from parking.domain.ids import BlockerId, SpotId
from parking.domain.spot import Location, ServiceState, Spot
from parking.domain.tariff import Band, Tariff, Weekday

BY_CELL = "by_cell"


class BandMap(TypedMap):
    """Hours of the week inside a tariff; the times as HH:MM."""

    name = UnicodeAttribute()
    weekdays = UnicodeSetAttribute()
    start_time = UnicodeAttribute()
    end_time = UnicodeAttribute()
    price_per_hour_minor = IntegerAttribute()


class TariffMap(TypedMap):
    """A tariff inside its spot."""

    price_per_hour_minor = IntegerAttribute()
    currency = UnicodeAttribute()
    step_minutes = IntegerAttribute()
    minimum_minutes = IntegerAttribute()
    bands: ListAttribute[BandMap] = ListAttribute(of=BandMap)
    daily_cap_minor = IntegerAttribute(null=True)
    overstay_price_per_hour_minor = IntegerAttribute(null=True)
    overstay_cap_minor = IntegerAttribute(null=True)
    tax_included = BooleanAttribute()
    version = IntegerAttribute()


class SpotModel(VersionedModel):
    """`region` and `cell` are derived from the location, for the index by_cell."""

    spot_id = UnicodeAttribute(hash_key=True)
    region = UnicodeAttribute()
    cell = UnicodeAttribute()
    name = UnicodeAttribute()
    address = UnicodeAttribute()
    latitude = NumberAttribute()
    longitude = NumberAttribute()
    time_zone = UnicodeAttribute()
    tariff = TariffMap()
    blocker_id = UnicodeAttribute()
    turnover_minutes = IntegerAttribute()
    idle_position = EnumAttribute(Position)
    service_state = EnumAttribute(ServiceState)


def item_of(spot: Spot) -> SpotModel:
    """The spot as it is stored."""
    return SpotModel(
        spot_id=spot.spot_id,
        region=region_of(spot.location),
        cell=cell_of(spot.location),
        name=spot.name,
        address=spot.address,
        latitude=spot.location.latitude,
        longitude=spot.location.longitude,
        time_zone=spot.time_zone,
        tariff=_tariff_map(spot.tariff),
        blocker_id=spot.blocker_id,
        turnover_minutes=spot.turnover_minutes,
        idle_position=spot.idle_position,
        service_state=spot.service_state,
        version=spot.version,
    )


def spot_of(item: SpotModel) -> Spot:
    """The stored spot."""
    return Spot(
        spot_id=SpotId(item.spot_id),
        name=item.name,
        address=item.address,
        location=Location(item.latitude, item.longitude),
        time_zone=item.time_zone,
        tariff=_tariff_of(item.tariff),
        blocker_id=BlockerId(item.blocker_id),
        turnover_minutes=item.turnover_minutes,
        idle_position=item.idle_position,
        service_state=item.service_state,
        version=item.version,
    )


def _tariff_map(tariff: Tariff) -> TariffMap:
    return TariffMap(
        price_per_hour_minor=tariff.price_per_hour_minor,
        currency=tariff.currency,
        step_minutes=tariff.step_minutes,
        minimum_minutes=tariff.minimum_minutes,
        bands=[
            BandMap(
                name=band.name,
                weekdays={weekday.value for weekday in band.weekdays},
                start_time=f"{band.start_time:%H:%M}",
                end_time=f"{band.end_time:%H:%M}",
                price_per_hour_minor=band.price_per_hour_minor,
            )
            for band in tariff.bands
        ],
        daily_cap_minor=tariff.daily_cap_minor,
        overstay_price_per_hour_minor=tariff.overstay_price_per_hour_minor,
        overstay_cap_minor=tariff.overstay_cap_minor,
        tax_included=tariff.tax_included,
        version=tariff.version,
    )


def _tariff_of(item: TariffMap) -> Tariff:
    return Tariff(
        price_per_hour_minor=item.price_per_hour_minor,
        currency=item.currency,
        step_minutes=item.step_minutes,
        minimum_minutes=item.minimum_minutes,
        bands=tuple(
            Band(
                name=band.name,
                weekdays=frozenset(Weekday(name) for name in band.weekdays),
                start_time=time.fromisoformat(band.start_time),
                end_time=time.fromisoformat(band.end_time),
                price_per_hour_minor=band.price_per_hour_minor,
            )
            for band in item.bands
        ),
        daily_cap_minor=item.daily_cap_minor,
        overstay_price_per_hour_minor=item.overstay_price_per_hour_minor,
        overstay_cap_minor=item.overstay_cap_minor,
        tax_included=item.tax_included,
        version=item.version,
    )
