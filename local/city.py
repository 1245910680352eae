"""The demo city: every spot of city.json as the wish that the ProvisionSpot function takes."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CITY_FILE = Path(__file__).with_name("city.json")


@dataclass(frozen=True)
class City:
    """Its centre in WGS 84 degrees, and its spots as requests to provision them."""

    name: str
    latitude: float
    longitude: float
    wishes: tuple[dict[str, Any], ...]


def load() -> City:
    """Read the city; a zone gives its spots their tariff and turnover time."""
    city = json.loads(CITY_FILE.read_text(encoding="utf-8"))
    wishes = []
    for spot in city["spots"]:
        zone = city["zones"][spot.pop("zone")]
        tariff = zone["tariff"] | {"currency": city["currency"]}
        wishes.append(
            {"time_zone": city["time_zone"], "idle_position": "LOWERED", "turnover_minutes": zone["turnover_minutes"]}
            | spot
            | {"tariff": tariff}
        )
    return City(city["name"], city["latitude"], city["longitude"], tuple(wishes))
