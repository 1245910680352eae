"""A search costs what its area holds, not what the system holds: `make bench-search`.

The same searches in a town of 1,000 spots and in a country of 100,000 of the same density, through the real service and
store, on MiniStack. The units are DynamoDB's (benchmarks/metered.py); the milliseconds are the emulator's, which looks
through the whole table for each Query.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import cos, degrees, pi, radians, sin, sqrt
from pathlib import Path

from benchmarks.metered import Meter, fill, metered
from parking.adapters.dynamodb.store import DynamoStore
from parking.domain.area import Area, Box, Circle, Rank
from parking.domain.ids import BlockerId, SpotId
from parking.domain.spot import EARTH_RADIUS_M, Location, Spot
from parking.services.search import Filters, search
from tests.builders import NOW, a_spot
from tests.contract.emulators import create_tables, running_aws

TOWN_SPOTS, COUNTRY_SPOTS = 1_000, 100_000
SPOTS_PER_KM2 = 50
RATIO_MAX = 1.2
MIDDLE = Location(52.5163, 13.3777)
GOLDEN_ANGLE = pi * (3 - sqrt(5))


@dataclass(frozen=True)
class Case:
    """A search, and how many pages of it are taken (None: all)."""

    name: str
    area: Area
    pages: int | None = None


CASES = (
    Case("300 m around a point, all", Circle(MIDDLE, 300)),
    Case("1 km around a point, first page", Circle(MIDDLE, 1_000), pages=1),
    Case("1 km around a point, all", Circle(MIDDLE, 1_000)),
    Case("a frame of 1 km by 1 km, all", Box.between(52.5118, 13.3703, 52.5208, 13.3851)),
)
ZOOMED_OUT = Case("a frame of 30 km by 30 km, first page", Box.between(52.3813, 13.1559, 52.6513, 13.5995), pages=1)


def _sunflower(number: int) -> Iterator[Spot]:
    """Spots evenly around the middle, as seeds in a sunflower: the first thousand are the same in every town."""
    spot = a_spot()
    for n in range(number):
        distance = 1_000 * sqrt((n + 0.5) / (pi * SPOTS_PER_KM2)) / EARTH_RADIUS_M
        latitude = MIDDLE.latitude + degrees(distance * cos(n * GOLDEN_ANGLE))
        east = degrees(distance * sin(n * GOLDEN_ANGLE)) / cos(radians(MIDDLE.latitude))
        yield replace(
            spot,
            spot_id=SpotId(f"spot-{n:06d}"),
            blocker_id=BlockerId(f"blocker-{n:06d}"),
            location=Location(latitude, MIDDLE.longitude + east),
        )


def _built(number: int) -> DynamoStore:
    """A store with so many spots."""
    tables = create_tables()
    fill(tables.spots, Spot, _sunflower(number))
    return DynamoStore(tables)


def _measured(store: DynamoStore, case: Case) -> tuple[Meter, int, float]:
    """What the search reads, what it finds, and how long it takes in seconds."""
    found, taken = 0, 0
    began = time.perf_counter()
    after: Rank | None = None
    with metered(store) as meter:
        while True:
            page = search(store, case.area, NOW, window=None, filters=Filters(), after=after, limit=100)
            found, taken, after = found + len(page.items), taken + 1, page.following
            if after is None or taken == case.pages:
                break
    return meter, found, time.perf_counter() - began


def _row(case: Case, spots: int, meter: Meter, found: int, seconds: float) -> str:
    counted = f"{found:>6} {meter.queries:>8} {meter.items:>6} {meter.units:>7.1f} {seconds * 1000:>7.0f}"
    return f"{case.name:<40} {spots:>8,} {counted}"


def _compared() -> float:
    """Print every search in both; the largest ratio."""
    began = time.perf_counter()
    town, country = _built(TOWN_SPOTS), _built(COUNTRY_SPOTS)
    print(f"filled in {time.perf_counter() - began:.0f} s, {SPOTS_PER_KM2} spots to the square kilometre\n")
    print(
        f"{'search':<40} {'spots':>8} {'found':>6} {'queries':>8} {'items':>6} {'units':>7} {'ms':>7}   ratio of units"
    )
    worst = 0.0
    for case in CASES:
        few, many = _measured(town, case), _measured(country, case)
        ratio = many[0].units / few[0].units
        worst = max(worst, ratio)
        print(_row(case, TOWN_SPOTS, *few))
        print(f"{_row(case, COUNTRY_SPOTS, *many)}   {ratio:.2f}")
    print(_row(ZOOMED_OUT, COUNTRY_SPOTS, *_measured(country, ZOOMED_OUT)))
    return worst


def main() -> None:
    """Exit 1 if a search costs more than 1.2 times as much among 100 times as many spots."""
    with tempfile.TemporaryDirectory() as logs, running_aws(Path(logs)) as aws:
        os.environ.update(aws.variables)
        worst = _compared()
    print(f"\nworst ratio {worst:.2f}, allowed {RATIO_MAX}")
    sys.exit(worst > RATIO_MAX)


if __name__ == "__main__":
    main()
