"""Items of the Spots table."""

from pynamodb.attributes import BooleanAttribute, NumberAttribute, UnicodeAttribute

from parking.adapters.dynamodb.attributes import EnumAttribute, IntegerAttribute, TypedMap, VersionedModel
from parking.adapters.dynamodb.cells import cell_of, region_of
from parking.domain.blocker import Position
from parking.domain.ids import BlockerId, SpotId
from parking.domain.spot import Location, ServiceState, Spot
from parking.domain.tariff import Tariff

BY_CELL = "by_cell"


class TariffMap(TypedMap):
    """A tariff inside its spot."""

    price_per_hour_minor = IntegerAttribute()
    currency = UnicodeAttribute()
    step_minutes = IntegerAttribute()
    minimum_minutes = IntegerAttribute()
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
    tariff = spot.tariff
    return SpotModel(
        spot_id=spot.spot_id,
        region=region_of(spot.location),
        cell=cell_of(spot.location),
        name=spot.name,
        address=spot.address,
        latitude=spot.location.latitude,
        longitude=spot.location.longitude,
        time_zone=spot.time_zone,
        tariff=TariffMap(
            price_per_hour_minor=tariff.price_per_hour_minor,
            currency=tariff.currency,
            step_minutes=tariff.step_minutes,
            minimum_minutes=tariff.minimum_minutes,
            overstay_price_per_hour_minor=tariff.overstay_price_per_hour_minor,
            overstay_cap_minor=tariff.overstay_cap_minor,
            tax_included=tariff.tax_included,
            version=tariff.version,
        ),
        blocker_id=spot.blocker_id,
        turnover_minutes=spot.turnover_minutes,
        idle_position=spot.idle_position,
        service_state=spot.service_state,
        version=spot.version,
    )


def spot_of(item: SpotModel) -> Spot:
    """The stored spot."""
    tariff = item.tariff
    return Spot(
        spot_id=SpotId(item.spot_id),
        name=item.name,
        address=item.address,
        location=Location(item.latitude, item.longitude),
        time_zone=item.time_zone,
        tariff=Tariff(
            price_per_hour_minor=tariff.price_per_hour_minor,
            currency=tariff.currency,
            step_minutes=tariff.step_minutes,
            minimum_minutes=tariff.minimum_minutes,
            overstay_price_per_hour_minor=tariff.overstay_price_per_hour_minor,
            overstay_cap_minor=tariff.overstay_cap_minor,
            tax_included=tariff.tax_included,
            version=tariff.version,
        ),
        blocker_id=BlockerId(item.blocker_id),
        turnover_minutes=item.turnover_minutes,
        idle_position=item.idle_position,
        service_state=item.service_state,
        version=item.version,
    )
