"""The part of the map that a search looks at, and the order in which it shows what it finds."""

from dataclasses import dataclass
from math import asin, cos, radians, sin

from parking.domain.errors import InvalidField
from parking.domain.ids import SpotId
from parking.domain.spot import EARTH_RADIUS_M, Location, Spot

LARGEST_REACH_M = 25_000
"""How far an area may reach from its centre: a large city on one screen."""

_TURN = 360.0


@dataclass(frozen=True, slots=True)
class Circle:
    """All that is near a point."""

    centre: Location
    radius_m: float

    @property
    def reach_m(self) -> float:
        """How far its farthest point is from its centre."""
        return self.radius_m

    def contains(self, location: Location) -> bool:
        """True for what is as near as the radius, or nearer."""
        return location.distance_m(self.centre) <= self.radius_m

    def outside_m(self, location: Location) -> float:
        """How far it is from the location to the area at least; 0 inside."""
        return max(0.0, location.distance_m(self.centre) - self.radius_m)


@dataclass(frozen=True, slots=True)
class Box:
    """A map's frame in WGS 84 degrees. It spans the antimeridian if `west` is greater than `east` (RFC 7946, 5.2)."""

    south: float
    west: float
    north: float
    east: float

    @classmethod
    def between(cls, south: float, west: float, north: float, east: float) -> "Box":
        """The box, if it is one and not too large. Raises InvalidField in the words of the API."""
        if south >= north:
            raise InvalidField("max_lat", "is not north of min_lat")
        box = cls(south, west, north, east)
        if box.width == 0:
            raise InvalidField("max_lon", "is not east of min_lon")
        if box.reach_m > LARGEST_REACH_M:
            raise InvalidField("max_lat", f"the box reaches more than {LARGEST_REACH_M} m from its centre: zoom in")
        return box

    @property
    def width(self) -> float:
        """In degrees, up to all 360."""
        degrees = self.east - self.west
        return degrees if degrees == _TURN else degrees % _TURN

    @property
    def centre(self) -> Location:
        """The middle of both its sides."""
        longitude = self.west + self.width / 2
        return Location((self.south + self.north) / 2, longitude if longitude <= _TURN / 2 else longitude - _TURN)

    @property
    def reach_m(self) -> float:
        """How far its farthest point is from its centre: a corner, also where it spans a pole."""
        return max(self.centre.distance_m(Location(latitude, self.east)) for latitude in (self.south, self.north))

    def contains(self, location: Location) -> bool:
        """True for what lies in the frame or on it."""
        return self.south <= location.latitude <= self.north and (location.longitude - self.west) % _TURN <= self.width

    def outside_m(self, location: Location) -> float:
        """How far it is from the location to the area at least; 0 inside."""
        off_latitude = max(self.south - location.latitude, location.latitude - self.north, 0.0)
        return max(EARTH_RADIUS_M * radians(off_latitude), self._off_meridians_m(location))

    def _off_meridians_m(self, location: Location) -> float:
        """To the nearer of the great circles that its west and east sides lie on: who enters it crosses one of them."""
        if (location.longitude - self.west) % _TURN <= self.width:
            return 0.0
        turns = (abs(sin(radians(location.longitude - side))) for side in (self.west, self.east))
        return EARTH_RADIUS_M * asin(min(turns) * cos(radians(location.latitude)))


Area = Circle | Box


@dataclass(frozen=True, slots=True, order=True)
class Rank:
    """Where a spot stands in a search: the nearest first; of those as near, by id, so that pages are stable."""

    distance_m: float
    spot_id: SpotId

    @classmethod
    def of(cls, spot: Spot, area: Area) -> "Rank":
        """The spot's rank by its distance from the middle of the area."""
        return cls(spot.location.distance_m(area.centre), spot.spot_id)
