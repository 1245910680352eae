"""Finding spots: by distance, in pages, through filters, and with what is free in a window."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from parking.adapters.memory.store import MemoryStore
from parking.domain.area import Area, Box, Circle, Rank
from parking.domain.blocker import Blocker, Connectivity
from parking.domain.ids import SpotId
from parking.domain.spot import Location, ServiceState, Spot
from parking.domain.time import Interval
from parking.services import search as searching
from parking.services.ports import InvalidCursor
from parking.services.search import Filters, FoundPage, search
from spots import cursor
from tests.builders import TARIFF, a_blocker, a_spot
from tests.unit.world import ANNA, World, at

CENTRE = Location(52.5163, 13.3777)
AROUND = Circle(CENTRE, 1_000)
FRAME = Box.between(52.51, 13.37, 52.53, 13.39)


def _near(world: World, metres_north: float, **over: object) -> Spot:
    spot = a_spot(location=Location(CENTRE.latitude + metres_north / 111_195, CENTRE.longitude), **over)
    world.store.commit(spot, a_blocker(blocker_id=spot.blocker_id, spot_id=spot.spot_id))
    return spot


def _search(
    world: World,
    area: Circle | Box = AROUND,
    *,
    window: Interval | None = None,
    filters: Filters = Filters(),  # noqa: B008 - frozen
    after: Rank | None = None,
    limit: int = 10,
) -> FoundPage:
    return search(world.store, area, at(0), window=window, filters=filters, after=after, limit=limit)


def _ids(page: FoundPage) -> list[str]:
    return [found.spot.spot_id for found in page.items]


def test_spots_are_found_by_distance_with_their_blockers(world: World) -> None:
    far, near = _near(world, 400), _near(world, 100)
    _near(world, 1_200)
    _near(world, 50, service_state=ServiceState.OUT_OF_SERVICE)
    page = _search(world)
    assert _ids(page) == [world.spot.spot_id, near.spot_id, far.spot_id]
    assert [f.distance_m for f in page.items] == pytest.approx([0, 100, 400], abs=1)
    assert page.items[0].blocker == world.blocker
    assert [f.available for f in page.items] == [None, None, None]
    assert page.following is None


def test_a_box_shows_what_lies_in_it_by_the_distance_from_its_middle(world: World) -> None:
    outside, north = _near(world, 1_600), _near(world, 1_500)
    page = _search(world, FRAME)
    assert _ids(page) == [world.spot.spot_id, north.spot_id]
    assert outside.spot_id not in _ids(page)
    middle = FRAME.centre
    assert [f.distance_m for f in page.items] == [f.spot.location.distance_m(middle) for f in page.items]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 100])
def test_pages_show_every_spot_once_in_order(world: World, limit: int) -> None:
    for metres in (30, 30, 30, 10, 20, 500):
        _near(world, metres)
    whole = _ids(_search(world, limit=100))
    assert len(whole) == 7
    after, pages = None, []
    while True:
        page = _search(world, after=after, limit=limit)
        pages.append(_ids(page))
        after = page.following
        if after is None:
            break
    assert [one for page_ids in pages for one in page_ids] == whole
    assert [len(page_ids) for page_ids in pages[:-1]] == [limit] * (len(pages) - 1)
    assert pages[-1]


def test_a_spot_that_comes_between_two_pages_moves_no_other(world: World) -> None:
    near, far = _near(world, 100), _near(world, 300)
    first = _search(world, limit=2)
    assert _ids(first) == [world.spot.spot_id, near.spot_id]
    _near(world, 50)
    behind = _near(world, 200)
    assert _ids(_search(world, after=first.following)) == [behind.spot_id, far.spot_id]


def test_only_spots_whose_barrier_is_online_are_shown_if_asked(world: World) -> None:
    _near(world, 100)
    offline = _near(world, 200)
    no_machine = a_spot(location=CENTRE)
    world.store.commit(no_machine)
    stored = world.store.get(Blocker, offline.blocker_id)
    assert stored
    world.store.commit(replace(stored, connectivity=Connectivity.OFFLINE))
    assert {offline.spot_id, no_machine.spot_id} < set(_ids(_search(world)))
    shown = _ids(_search(world, filters=Filters(blocker_online=True)))
    assert len(shown) == 2
    assert not {offline.spot_id, no_machine.spot_id} & set(shown)


def test_the_price_ceiling_is_per_hour_or_for_the_window(world: World) -> None:
    dear = _near(world, 100, tariff=replace(TARIFF, price_per_hour_minor=300))
    cheap = world.spot.spot_id  # 240
    two_hours = Interval(at(60), at(180))
    for price_minor_max, window, found in (
        (300, None, [cheap, dear.spot_id]),
        (299, None, [cheap]),
        (239, None, []),
        (600, two_hours, [cheap, dear.spot_id]),
        (599, two_hours, [cheap]),
        (479, two_hours, []),
    ):
        assert _ids(_search(world, window=window, filters=Filters(price_minor_max=price_minor_max))) == found


def test_a_page_that_the_filters_leave_short_goes_on_behind_what_was_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "LOOKED_AT_MAX", 4)
    for metres in range(10, 60, 10):
        _near(world, metres, tariff=replace(TARIFF, price_per_hour_minor=300))
    cheap = _near(world, 70)
    filters = Filters(price_minor_max=240)
    first = _search(world, filters=filters)
    assert _ids(first) == [world.spot.spot_id]
    assert first.following
    second = _search(world, filters=filters, after=first.following)
    assert _ids(second) == [cheap.spot_id]
    assert second.following is None


@pytest.mark.parametrize("limit", [1, 50, 100])
def test_a_page_without_filters_takes_hardly_more_spots_than_it_shows(
    world: World, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    for metres in range(150):
        _near(world, metres)
    taken = 0

    def counted(area: Area, after: Rank | None) -> Iterator[Spot]:
        nonlocal taken
        for spot in MemoryStore.spots_near(world.store, area, after):
            taken += 1
            yield spot

    monkeypatch.setattr(world.store, "spots_near", counted)
    assert len(_search(world, limit=limit).items) == limit
    assert taken <= limit + 2


def test_filters_that_let_nothing_through_cost_few_reads(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for metres in range(400):
        spot = a_spot(location=Location(CENTRE.latitude + metres / 111_195, CENTRE.longitude))
        world.store.commit(spot)
    reads = 0
    read = world.store.get_many

    def counted(kind: type[Any], keys: Sequence[Any]) -> list[Any]:
        nonlocal reads
        reads += 1
        return read(kind, keys)

    monkeypatch.setattr(world.store, "get_many", counted)
    page = _search(world, Circle(Location(52.5170, 13.3777), 1_000), filters=Filters(blocker_online=True), limit=1)
    assert len(page.items) == 1  # the world's own, of 401 spots
    assert reads <= 12


@pytest.mark.parametrize(
    ("window", "free"),
    [((60, 180), False), ((185, 240), False), ((190, 240), True), ((30, 51), False), ((30, 50), True)],
)
def test_a_search_says_what_is_free_in_the_window(world: World, window: tuple[int, int], free: bool) -> None:
    other = _near(world, 100)
    world.reserve(ANNA, 60, 180)
    found = _search(world, window=Interval(at(window[0]), at(window[1]))).items
    assert {f.spot.spot_id: f.available for f in found} == {world.spot.spot_id: free, other.spot_id: True}


def test_a_search_over_days_of_many_spots_says_what_is_free_in_each(world: World) -> None:
    for metres in range(1, 40):
        _near(world, metres)
    world.reserve(ANNA, 4 * 1440, 4 * 1440 + 60)
    found = _search(world, window=Interval(at(60), at(60 + 7 * 1440)), limit=100).items
    assert len(found) == 40
    assert [f.spot.spot_id for f in found if not f.available] == [world.spot.spot_id]


# The cursor's text

RANK = Rank(123.45678901234567, SpotId("spot-a"))


def test_a_cursor_comes_back_as_it_was_written() -> None:
    fingerprint = cursor.fingerprint_of(AROUND, None, Filters())
    assert cursor.decoded(cursor.encoded(RANK, fingerprint), fingerprint) == RANK


@pytest.mark.parametrize(
    ("area", "window", "filters"),
    [
        (Circle(CENTRE, 999), None, Filters()),
        (FRAME, None, Filters()),
        (AROUND, Interval(at(0), at(0) + timedelta(hours=1)), Filters()),
        (AROUND, None, Filters(blocker_online=True)),
        (AROUND, None, Filters(price_minor_max=1)),
    ],
)
def test_a_cursor_is_good_for_its_own_search_only(
    area: Circle | Box, window: Interval | None, filters: Filters
) -> None:
    text = cursor.encoded(RANK, cursor.fingerprint_of(AROUND, None, Filters()))
    with pytest.raises(InvalidCursor):
        cursor.decoded(text, cursor.fingerprint_of(area, window, filters))


@pytest.mark.parametrize(
    "text", ["", "x", "ÿ", "!!!!", "bnVsbA", "WzEsMiwzXQ", "W10", "W1tdLG51bGwsIngiXQ", "a" * 1024]
)
def test_a_cursor_that_we_never_gave_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        cursor.decoded(text, cursor.fingerprint_of(AROUND, None, Filters()))
