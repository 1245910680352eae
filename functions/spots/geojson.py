"""Search results as GeoJSON (RFC 7946), so that map libraries take them as they are."""

from typing import Annotated, Literal

from pydantic import Field

from parking.http import Out
from spots.schemas import FoundSpotOut, SpotsOut

GEOJSON = "application/geo+json"


class PointOut(Out):
    """Longitude first, then latitude, WGS 84 degrees."""

    type: Literal["Point"] = "Point"
    coordinates: Annotated[list[float], Field(min_length=2, max_length=2)]


class FeatureOut(Out):
    """A spot at its place; `properties` are those of the JSON answer, `location` left out."""

    type: Literal["Feature"] = "Feature"
    id: str
    geometry: PointOut
    properties: dict[str, object]

    @classmethod
    def of(cls, spot: FoundSpotOut) -> "FeatureOut":
        """The search result as a feature."""
        point = PointOut(coordinates=[spot.location.lon, spot.location.lat])
        return cls(id=spot.spot_id, geometry=point, properties=spot.model_dump(mode="json", exclude={"location"}))


class FeaturesOut(Out):
    """Spots by distance. `next_cursor` is a foreign member (RFC 7946, 6.1): null on the last page."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[FeatureOut]
    next_cursor: str | None

    @classmethod
    def of(cls, spots: SpotsOut) -> "FeaturesOut":
        """The page as features."""
        return cls(features=[FeatureOut.of(one) for one in spots.items], next_cursor=spots.next_cursor)
