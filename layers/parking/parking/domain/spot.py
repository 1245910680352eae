"""A parking spot and where it is."""

from dataclasses import dataclass
from enum import StrEnum
from math import asin, cos, radians, sin, sqrt

from parking.domain.blocker import Position
from parking.domain.ids import BlockerId, SpotId
from parking.domain.tariff import Tariff

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG


class ServiceState(StrEnum):
    """Whether a spot is offered."""

    IN_SERVICE = "IN_SERVICE"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"


@dataclass(frozen=True, slots=True)
class Location:
    """WGS 84 degrees."""

    latitude: float
    longitude: float

    def distance_m(self, other: "Location") -> float:
        """Great-circle distance in metres (haversine)."""
        latitudes = sin(radians(other.latitude - self.latitude) / 2) ** 2
        longitudes = sin(radians(other.longitude - self.longitude) / 2) ** 2
        chord = latitudes + cos(radians(self.latitude)) * cos(radians(other.latitude)) * longitudes
        return 2 * EARTH_RADIUS_M * asin(sqrt(chord))


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """One place for one car, guarded by one blocker."""

    spot_id: SpotId
    name: str
    address: str
    location: Location
    time_zone: str
    tariff: Tariff
    blocker_id: BlockerId
    turnover_minutes: int = 10
    idle_position: Position = Position.LOWERED
    service_state: ServiceState = ServiceState.IN_SERVICE
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.spot_id,)
