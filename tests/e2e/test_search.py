"""The map through the API: circles and frames, pages, filters, GeoJSON; and the spots that a driver keeps at hand."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from local.drivers import Driver
from tests.e2e.stays import act, await_guard, await_status, everything, now, paid
from tests.e2e.world import Json, Spot, World, eventually, expect, utc

GEOJSON = "application/geo+json"
METRES_PER_DEGREE = 111_195


@pytest.fixture(scope="module")
def looker(world: World) -> Driver:
    """Somebody who only looks."""
    return world.driver()


@pytest.fixture(scope="module")
def around(world: World) -> str:
    """The query of a search that shows the whole city."""
    return f"lat={world.stack.lat}&lon={world.stack.lon}&radius_m=5000"


def frame(world: World, metres: float) -> str:
    """A box of twice so many metres of latitude around the city's middle."""
    half = metres / METRES_PER_DEGREE
    lat, lon = world.stack.lat, world.stack.lon
    return f"min_lat={lat - half}&min_lon={lon - half}&max_lat={lat + half}&max_lon={lon + half}"


def pages(driver: Driver, query: str, limit: int) -> Iterator[list[Json]]:
    cursor = ""
    while True:
        page = expect(200, driver.get(f"/spots?{query}&limit={limit}{cursor}"))
        yield page["items"]
        if page["next_cursor"] is None:
            return
        cursor = f"&cursor={page['next_cursor']}"


def whole(driver: Driver, query: str) -> list[Json]:
    return everything(driver, f"/spots?{query}")


def complaint(status: int, driver: Driver, query: str) -> list[str]:
    return [error["field"] for error in expect(status, driver.get(f"/spots?{query}"))["errors"]]


@pytest.mark.parametrize("limit", [7, 50])
def test_a_search_is_paged_without_gap_or_double(looker: Driver, around: str, limit: int) -> None:
    # Other tests put spots on the map and report meanwhile, so places are compared, not whole answers.
    at_once = [one["spot_id"] for one in whole(looker, around)]
    in_pages = [[one["spot_id"] for one in page] for page in pages(looker, around, limit)]
    assert [spot_id for page in in_pages for spot_id in page] == at_once
    assert {len(page) for page in in_pages[:-1]} == {limit}


def test_a_map_can_be_panned(world: World, looker: Driver, around: str) -> None:
    shown = whole(looker, frame(world, 1_000))
    inside = [
        one["spot_id"]
        for one in whole(looker, around)
        if all(
            abs(one["location"][axis] - getattr(world.stack, axis)) <= 1_000 / METRES_PER_DEGREE
            for axis in ("lat", "lon")
        )
    ]
    assert shown
    assert sorted(one["spot_id"] for one in shown) == sorted(inside)
    assert [one["distance_m"] for one in shown] == sorted(one["distance_m"] for one in shown)
    lat, lon = world.stack.lat, world.stack.lon
    empty = f"min_lat={lat - 0.01}&min_lon={lon - 0.31}&max_lat={lat + 0.01}&max_lon={lon - 0.3}"
    assert expect(200, looker.get(f"/spots?{empty}")) == {"items": [], "next_cursor": None}
    date_line = "min_lat=-16.9&min_lon=179.95&max_lat=-16.8&max_lon=-179.95"
    assert expect(200, looker.get(f"/spots?{date_line}"))["items"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "lat"),
        ("lat=1", "lon"),
        ("lon=1", "lat"),
        ("lat=1&lon=1&min_lat=1", "lat"),
        ("min_lat=1&min_lon=1&max_lat=1.1", "max_lon"),
        ("min_lat=1&min_lon=1&max_lat=1&max_lon=1.1", "max_lat"),
        ("min_lat=1&min_lon=1&max_lat=1.1&max_lon=1", "max_lon"),
        ("min_lat=1&min_lon=1&max_lat=2&max_lon=2", "max_lat"),
        ("min_lat=-90&min_lon=-180&max_lat=90&max_lon=180", "max_lat"),
        ("lat=1&lon=1&radius_m=25001", "radius_m"),
    ],
)
def test_what_is_no_area_or_too_large_is_refused_by_its_field(looker: Driver, query: str, field: str) -> None:
    assert complaint(400, looker, query) == [field]


def test_a_cursor_is_good_for_its_own_search_only(world: World, looker: Driver, around: str) -> None:
    cursor = expect(200, looker.get(f"/spots?{around}&limit=1"))["next_cursor"]
    assert complaint(400, looker, f"{frame(world, 1_000)}&cursor={cursor}") == ["cursor"]
    assert complaint(400, looker, f"{around}&blocker_online=true&cursor={cursor}") == ["cursor"]


def test_a_price_ceiling_holds_per_hour_and_for_a_window(looker: Driver, around: str) -> None:
    city = whole(looker, around)
    prices = sorted({one["tariff"]["price_per_hour"] for one in city})
    assert len(prices) > 1
    cheap = {one["spot_id"] for one in city if one["tariff"]["price_per_hour"] == prices[0]}
    begins = now() + timedelta(hours=2)
    window = f"starts_at={utc(begins)}&ends_at={utc(begins + timedelta(hours=2))}"
    assert {one["spot_id"] for one in whole(looker, f"{around}&max_price={prices[0]}")} == cheap
    assert {one["spot_id"] for one in whole(looker, f"{around}&{window}&max_price={2 * prices[0]}")} == cheap
    assert whole(looker, f"{around}&max_price={prices[0] - 1}") == []


def test_a_spot_whose_barrier_is_offline_is_shown_only_if_not_asked_for(
    world: World, looker: Driver, spot: Spot, around: str
) -> None:
    def shown(query: str) -> bool:
        return spot.spot_id in {one["spot_id"] for one in whole(looker, query)}

    assert shown(f"{around}&blocker_online=true")
    world.put_network(spot, online=False)
    eventually(lambda: not shown(f"{around}&blocker_online=true"), f"{spot.spot_id} to be offline on the map")
    assert shown(around)
    world.put_network(spot, online=True)
    eventually(lambda: shown(f"{around}&blocker_online=true"), f"{spot.spot_id} to be online on the map")


def test_a_map_library_gets_geojson(looker: Driver, around: str) -> None:
    answer = looker.get(f"/spots?{around}&limit=3", accept=f"{GEOJSON}, application/json;q=0.5")
    collection = expect(200, answer)
    assert answer.headers["content-type"] == GEOJSON
    plain = expect(200, looker.get(f"/spots?{around}&limit=3", accept="application/json"))
    assert collection["type"] == "FeatureCollection"
    assert collection["next_cursor"] == plain["next_cursor"]
    for feature, item in zip(collection["features"], plain["items"], strict=True):
        assert feature["type"] == "Feature"
        assert feature["id"] == item["spot_id"]
        place = item["location"]
        assert feature["geometry"] == {"type": "Point", "coordinates": [place["lon"], place["lat"]]}
        assert feature["properties"].keys() | {"location"} == item.keys()
        assert feature["properties"]["name"] == item["name"]


# -- favourites and recent spots ----------------------------------------------------------------------------------


def ids(driver: Driver, path: str) -> list[str]:
    listed = expect(200, driver.get(path))
    assert listed["next_cursor"] is None
    return [one["spot_id"] for one in listed["items"]]


def test_favourites_are_kept_for_their_driver(
    driver: Driver, other_driver: Driver, spot: Spot, later_spot: Spot
) -> None:
    for wanted in (spot, later_spot, spot):
        added = expect(200, driver.request("PUT", f"/favourites/{wanted.spot_id}"))
        assert added == expect(200, driver.get(f"/spots/{wanted.spot_id}"))
    assert ids(driver, "/favourites") == [later_spot.spot_id, spot.spot_id]
    assert ids(other_driver, "/favourites") == []
    expect(404, other_driver.request("DELETE", f"/favourites/{spot.spot_id}"))
    expect(204, driver.request("DELETE", f"/favourites/{spot.spot_id}"))
    expect(404, driver.request("DELETE", f"/favourites/{spot.spot_id}"))
    expect(404, driver.request("PUT", "/favourites/nowhere"))
    assert ids(driver, "/favourites") == [later_spot.spot_id]


def test_the_spots_of_the_last_stays_are_at_hand(
    world: World, driver: Driver, quarter_spot: Spot, later_spot: Spot
) -> None:
    paid(driver, later_spot, begins_in=timedelta(hours=2))
    stay = paid(driver, quarter_spot)
    assert ids(driver, "/recent-spots") == []
    await_guard(driver, stay, position="RAISED")
    act(driver, stay, "arrival", status=202)
    await_status(driver, stay, "ACTIVE")
    assert ids(driver, "/recent-spots") == [quarter_spot.spot_id]
    act(driver, stay, "departure")
    assert ids(driver, "/recent-spots") == [quarter_spot.spot_id]


# -- export -------------------------------------------------------------------------------------------------------


def test_other_systems_get_places_rates_and_what_is_booked_now(
    world: World, driver: Driver, looker: Driver, quarter_spot: Spot
) -> None:
    paid(driver, quarter_spot)
    places: dict[str, Json] = {}
    cursor = ""
    while True:
        page = expect(200, looker.get(f"/export/places?{frame(world, 5_000)}&limit=20{cursor}"))
        places |= {place["id"]: place for place in page["data"]}
        if page["meta"]["nextCursor"] is None:
            break
        cursor = f"&cursor={page['meta']['nextCursor']}"
    shown = whole(looker, frame(world, 5_000))
    assert places.keys() == {one["spot_id"] for one in shown}
    booked = places[quarter_spot.spot_id]["hierarchyElementReference"]["demandTable"][0]["demandType"]
    assert booked == [{"count": 1}]
    for one in shown:
        place = places[one["spot_id"]]
        assert place["indicativePointLocation"]["coordinates"] == [one["location"]["lon"], one["location"]["lat"]]
        [collection] = place["rates"][0]["rateLineCollections"]
        assert collection["rateLines"][0]["value"] == one["tariff"]["price_per_hour"] / 100
