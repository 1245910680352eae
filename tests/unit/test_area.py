"""Circles and boxes on the sphere: what lies in them, how far they reach, and what is refused."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from parking.domain.area import LARGEST_REACH_M, Area, Box, Circle
from parking.domain.errors import InvalidField
from parking.domain.spot import Location

BERLIN = Box.between(52.4, 13.3, 52.6, 13.5)
DATE_LINE = Box.between(-16.9, 179.9, -16.7, -179.9)
POLE = Box.between(89.9, -180, 90, 180)

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)
locations = st.builds(Location, latitudes, longitudes)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    south, west = draw(st.floats(-90, 89.9)), draw(longitudes)
    north = min(90.0, south + draw(st.floats(0.001, 0.4)))
    width = draw(st.floats(0.001, 0.5) | st.floats(0.001, 360))
    east = west + width if west + width <= 180 else west + width - 360
    try:
        return Box.between(south, west, north, east)
    except InvalidField:
        assume(False)
        raise


def test_the_distance_between_two_cities_is_what_the_map_says() -> None:
    berlin, tallinn = Location(52.5200, 13.4050), Location(59.4370, 24.7536)
    assert berlin.distance_m(tallinn) == pytest.approx(1_042_000, rel=0.005)
    assert berlin.distance_m(berlin) == 0
    assert Location(0, 179.9999).distance_m(Location(0, -179.9999)) == pytest.approx(22.24, rel=0.01)


@pytest.mark.parametrize(
    ("box", "centre"),
    [
        (BERLIN, Location(52.5, 13.4)),
        (DATE_LINE, Location(-16.8, 180)),
        (Box.between(-16.9, 179.9, -16.7, -179.8), Location(-16.8, -179.95)),
        (POLE, Location(89.95, 0)),
    ],
)
def test_the_middle_of_a_box_is_between_its_sides(box: Box, centre: Location) -> None:
    assert box.centre.latitude == pytest.approx(centre.latitude)
    assert box.centre.longitude == pytest.approx(centre.longitude)


@pytest.mark.parametrize(
    ("box", "location", "inside"),
    [
        (BERLIN, Location(52.4, 13.3), True),
        (BERLIN, Location(52.6, 13.5), True),
        (BERLIN, Location(52.61, 13.4), False),
        (BERLIN, Location(52.5, 13.29), False),
        (BERLIN, Location(52.5, -166.6), False),
        (DATE_LINE, Location(-16.8, 180), True),
        (DATE_LINE, Location(-16.8, -180), True),
        (DATE_LINE, Location(-16.8, -179.95), True),
        (DATE_LINE, Location(-16.8, 179.89), False),
        (DATE_LINE, Location(-16.8, 0), False),
        (POLE, Location(90, 77), True),
        (POLE, Location(89.95, -103.2), True),
        (POLE, Location(89.89, 0), False),
    ],
)
def test_a_box_holds_what_lies_between_its_sides(box: Box, location: Location, inside: bool) -> None:
    assert box.contains(location) is inside


@pytest.mark.parametrize(
    ("sides", "field"),
    [
        ((52.6, 13.3, 52.4, 13.5), "max_lat"),
        ((52.4, 13.3, 52.4, 13.5), "max_lat"),
        ((52.4, 13.3, 52.6, 13.3), "max_lon"),
        ((52.4, 180.0, 52.6, -180.0), "max_lon"),
        ((52.4, 13.5, 52.6, 13.3), "max_lat"),  # the whole way round the other side
        ((52.0, 13.0, 53.0, 14.0), "max_lat"),
        ((-90.0, -180.0, 90.0, 180.0), "max_lat"),
        ((85.0, -180.0, 90.0, 180.0), "max_lat"),
    ],
)
def test_what_is_no_box_or_too_large_is_refused_by_its_field(
    sides: tuple[float, float, float, float], field: str
) -> None:
    with pytest.raises(InvalidField) as refused:
        Box.between(*sides)
    assert refused.value.field == field


@given(box=boxes(), up=st.floats(0, 1), along=st.floats(0, 1))
def test_no_point_of_a_box_is_farther_than_it_reaches(box: Box, up: float, along: float) -> None:
    longitude = box.west + box.width * along
    point = Location(box.south + (box.north - box.south) * up, longitude if longitude <= 180 else longitude - 360)
    assert box.centre.distance_m(point) <= box.reach_m + 1e-3
    assert box.reach_m <= LARGEST_REACH_M


@given(
    area=boxes() | st.builds(Circle, locations, st.floats(1, LARGEST_REACH_M)),
    place=locations,
    up=st.floats(0, 1),
    along=st.floats(0, 1),
)
def test_what_is_said_to_be_outside_is_at_least_so_far_from_every_point_inside(
    area: Area, place: Location, up: float, along: float
) -> None:
    if isinstance(area, Box):
        longitude = area.west + area.width * along
        inside = Location(
            area.south + (area.north - area.south) * up, longitude if longitude <= 180 else longitude - 360
        )
    else:
        inside = area.centre
    assert area.outside_m(place) <= place.distance_m(inside) + 1e-3
    if area.contains(place):
        assert area.outside_m(place) == 0
