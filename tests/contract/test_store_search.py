"""The map: both stores show the same spots in the same order, and DynamoDB reads few cells for it."""

import random
from dataclasses import replace
from math import asin, atan2, cos, degrees, radians, sin

import h3  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parking.adapters.dynamodb import store as dynamo
from parking.adapters.dynamodb.cells import cell_of, cover, is_finest, keys_of, nearest_first, region_of
from parking.domain.area import LARGEST_REACH_M, Area, Box, Circle, Rank
from parking.domain.spot import EARTH_RADIUS_M, Location, Spot
from parking.services.ports import Store
from tests.builders import a_spot
from tests.contract.strategies import locations

PENTAGON = Location(*h3.cell_to_latlng(h3.get_pentagons(9)[3]))
PLACES = locations | st.sampled_from(
    [Location(90, 0), Location(-90, 17), Location(0.01, 180), Location(1, -180), PENTAGON]
)
READS_MAX = 30
"""Cells of one area, by its size: the promise that a zoomed-out map reads few."""


def _moved(start: Location, distance_m: float, bearing_degrees: float) -> Location:
    """The point so far away on the sphere in that direction."""
    angle, bearing = distance_m / EARTH_RADIUS_M, radians(bearing_degrees)
    latitude = radians(start.latitude)
    to_latitude = asin(
        max(-1, min(1, sin(latitude) * cos(angle) + cos(latitude) * sin(angle) * cos(bearing))),
    )
    east = atan2(sin(bearing) * sin(angle) * cos(latitude), cos(angle) - sin(latitude) * sin(to_latitude))
    longitude = (start.longitude + degrees(east) + 540) % 360 - 180
    return Location(degrees(to_latitude), longitude)


def _town(centre: Location, number: int, reach_m: float, seed: int = 1) -> list[Spot]:
    """Spots all around the centre, most of them near it; with the version that the store gives them."""
    draw = random.Random(seed)  # noqa: S311 - repeatable, nothing secret
    places = [_moved(centre, reach_m * draw.random(), 360 * draw.random()) for _ in range(number)]
    return [a_spot(location=place, version=1) for place in places]


def _expected(spots: list[Spot], area: Area, after: Rank | None = None) -> list[Spot]:
    inside = sorted((Rank.of(spot, area), spot.spot_id) for spot in spots if area.contains(spot.location))
    by_id = {spot.spot_id: spot for spot in spots}
    return [by_id[spot_id] for rank, spot_id in inside if after is None or rank > after]


def _stored(store: Store, spots: list[Spot]) -> list[Spot]:
    for start in range(0, len(spots), 100):
        store.commit(*(replace(spot, version=0) for spot in spots[start : start + 100]))
    return spots


def test_a_circle_shows_all_spots_within_the_radius_nearest_first(store: Store) -> None:
    centre = Location(-33.8688, 151.2093)
    spots = _stored(store, _town(centre, 40, 6_000))
    for radius_m in (100, 700, 5_000):
        area = Circle(centre, radius_m)
        assert list(store.spots_near(area)) == _expected(spots, area)
    assert list(store.spots_near(Circle(Location(-60.0, -150.0), 1_000))) == []


@pytest.mark.parametrize(
    ("middle", "box"),
    [
        (Location(-41.29, 174.78), Box.between(-41.32, 174.75, -41.26, 174.81)),
        (Location(-16.8, 179.99), Box.between(-16.83, 179.95, -16.77, -179.97)),
        (Location(89.98, 40), Box.between(89.97, -180, 90, 180)),
    ],
    ids=["a town", "the antimeridian", "the pole"],
)
def test_a_box_shows_all_spots_in_it_nearest_to_its_middle_first(store: Store, middle: Location, box: Box) -> None:
    spots = _stored(store, _town(middle, 40, 5_000))
    expected = _expected(spots, box)
    assert 3 < len(expected) < 40
    assert list(store.spots_near(box)) == expected


def test_a_search_goes_on_behind_any_spot(store: Store) -> None:
    centre = Location(35.68, 139.69)
    area = Circle(centre, 2_000)
    spots = _stored(store, [*_town(centre, 12, 2_000), *_town(centre, 3, 0)])
    expected = _expected(spots, area)
    for number, spot in enumerate(expected):
        assert list(store.spots_near(area, Rank.of(spot, area))) == expected[number + 1 :]


def test_a_spot_that_moves_is_found_at_its_new_place_only(store: Store) -> None:
    here, there = Location(64.14, -21.94), Location(64.14, -21.5)
    [spot] = _stored(store, [a_spot(location=here, version=1)])
    store.commit(replace(spot, location=there))
    assert list(store.spots_near(Circle(here, 500))) == []
    assert list(store.spots_near(Circle(there, 500))) == [replace(spot, location=there, version=2)]


def test_a_crowded_cell_is_read_in_parts_down_to_the_finest(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamo, "SPOTS_PER_CELL_MAX", 4)
    centre = Location(19.43, -99.13)
    spots = _stored(store, [*_town(centre, 60, 3_000), *_town(centre, 9, 0)])
    area = Circle(centre, 2_500)
    assert list(store.spots_near(area)) == _expected(spots, area)


# Cells, without a store


class Cells:
    """Spots by their cells; counts the cells that are read, as DynamoStore would with a Query each."""

    def __init__(self, spots: list[Spot], at_once: int = dynamo.SPOTS_PER_CELL_MAX) -> None:
        self._spots = [(region_of(spot.location), cell_of(spot.location), spot) for spot in spots]
        self._at_once = at_once
        self.reads = 0

    def read(self, cell: str) -> list[Spot] | None:
        self.reads += 1
        region, first, last = keys_of(cell)
        inside = [spot for filed, fine, spot in self._spots if filed == region and first <= fine <= last]
        return inside if is_finest(cell) or len(inside) < self._at_once else None


@given(
    centre=PLACES,
    reach_m=st.floats(1, LARGEST_REACH_M),
    seed=st.integers(0, 10**6),
    at_once=st.sampled_from([3, dynamo.SPOTS_PER_CELL_MAX]),
    part=st.floats(0, 1),
)
@settings(deadline=None)  # the machine may be busy
def test_every_spot_of_the_area_is_shown_once_in_order(
    centre: Location, reach_m: float, seed: int, at_once: int, part: float
) -> None:
    spots = _town(centre, 30, reach_m * 1.2, seed)
    area = Circle(centre, reach_m)
    expected = _expected(spots, area)
    assert list(nearest_first(area, None, Cells(spots, at_once).read)) == expected
    if expected:
        after = Rank.of(expected[int(part * (len(expected) - 1))], area)
        assert list(nearest_first(area, after, Cells(spots, at_once).read)) == _expected(spots, area, after)


@given(corner=PLACES, height=st.floats(0.001, 0.3), width=st.floats(0.001, 0.5), seed=st.integers(0, 10**6))
@settings(deadline=None)
def test_every_spot_of_a_frame_is_shown_once_in_order(corner: Location, height: float, width: float, seed: int) -> None:
    south = min(corner.latitude, 90 - height)
    east = corner.longitude + width
    box = Box(south, corner.longitude, south + height, east if east <= 180 else east - 360)
    spots = _town(box.centre, 30, box.reach_m * 1.1, seed)
    assert list(nearest_first(box, None, Cells(spots).read)) == _expected(spots, box)


@pytest.mark.parametrize("reach_m", [50, 300, 1_000, 5_000, 12_000, LARGEST_REACH_M])
@pytest.mark.parametrize("centre", [Location(52.52, 13.40), Location(0, 0), Location(-77.8, 166.7), PENTAGON], ids=str)
def test_an_area_of_any_size_is_read_in_few_cells(centre: Location, reach_m: float) -> None:
    area = Circle(centre, reach_m)
    assert len(cover(area)) <= READS_MAX
    empty = Cells([])
    assert list(nearest_first(area, None, empty.read)) == []
    assert empty.reads <= READS_MAX


def test_the_first_page_of_a_crowded_city_reads_only_what_is_near() -> None:
    centre = Location(52.52, 13.40)
    city = Cells(_town(centre, 20_000, LARGEST_REACH_M))
    found = nearest_first(Circle(centre, LARGEST_REACH_M), None, city.read)
    first = [next(found) for _ in range(50)]
    assert len(first) == 50
    assert city.reads <= 40
