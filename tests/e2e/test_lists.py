"""Lists page by page: everything once, newest first, and only what the filter asks for."""

from datetime import timedelta

import pytest

from local.drivers import Driver
from tests.e2e.stays import everything, now, pay, reserve
from tests.e2e.world import Json, Spot, World, expect, utc

ITEMS = 5


@pytest.fixture(scope="module")
def busy(world: World) -> Driver:
    """Five reservations, two of them paid and one cancelled; as many payments, transactions and notices as follow."""
    driver, spot = world.driver(10_000), world.spot()
    stays = [reserve(driver, spot, begins_in=timedelta(hours=2 * number + 1)) for number in range(ITEMS)]
    for stay in stays[:2]:
        pay(driver, stay)
    expect(200, driver.post(f"/reservations/{stays[1]['reservation_id']}/cancellation"))
    world.stack.deposit(driver, 500)
    return driver


def walked(driver: Driver, path: str, limit: int) -> list[list[Json]]:
    """The pages of a list."""
    pages: list[list[Json]] = []
    cursor = ""
    while True:
        page = expect(200, driver.get(f"{path}?limit={limit}{cursor}"))
        assert set(page) == {"items", "next_cursor"}
        pages.append(page["items"])
        if page["next_cursor"] is None:
            return pages
        cursor = f"&cursor={page['next_cursor']}"


@pytest.mark.parametrize(
    ("path", "name", "count"),
    [
        ("/reservations", "reservation_id", ITEMS),
        ("/payments", "payment_id", 4),
        ("/wallet/transactions", "transaction_id", 5),
        ("/notifications", "notification_id", 5),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 100])
def test_pages_show_everything_once_newest_first(busy: Driver, path: str, name: str, count: int, limit: int) -> None:
    pages = walked(busy, path, limit)
    items = [item for page in pages for item in page]
    assert all(len(page) <= limit for page in pages)
    assert len({item[name] for item in items}) == len(items) == count
    times = [item["created_at"] for item in items]
    assert times == sorted(times, reverse=True)
    assert items == everything(busy, path)


@pytest.mark.parametrize(("status", "count"), [("HELD", 3), ("CONFIRMED", 1), ("CANCELLED", 1), ("COMPLETED", 0)])
def test_reservations_are_filtered_by_status(busy: Driver, status: str, count: int) -> None:
    items = expect(200, busy.get(f"/reservations?status={status}"))["items"]
    assert [item["status"] for item in items] == [status] * count
    one_by_one = everything(busy, f"/reservations?status={status}")
    assert one_by_one == items


def test_a_notice_that_was_read_leaves_the_unread(world: World) -> None:
    driver = world.driver(500)
    world.stack.deposit(driver, 500)
    newest, oldest = expect(200, driver.get("/notifications?unread=true"))["items"]
    first = expect(200, driver.post(f"/notifications/{newest['notification_id']}/read"))
    assert first["read_at"]
    assert expect(200, driver.post(f"/notifications/{newest['notification_id']}/read")) == first
    assert expect(200, driver.get("/notifications?unread=true"))["items"] == [oldest]
    assert expect(200, driver.get("/notifications"))["items"] == [first, oldest]


def test_a_driver_who_has_done_nothing_has_empty_lists_and_an_empty_wallet(world: World) -> None:
    driver = world.driver()
    for path in ("/reservations", "/payments", "/wallet/transactions", "/notifications"):
        assert expect(200, driver.get(path)) == {"items": [], "next_cursor": None}
    assert expect(200, driver.get("/wallet")) == {
        "balance": 0,
        "currency": "EUR",
        "withdrawable_today": 0,
        "debts": [],
    }


# -- spots --------------------------------------------------------------------------------------------------------


def test_the_search_finds_the_nearest_spots_within_the_radius(world: World, busy: Driver) -> None:
    place = f"/spots?lat={world.stack.lat}&lon={world.stack.lon}"
    near = expect(200, busy.get(f"{place}&radius_m=600&limit=100"))["items"]
    far = expect(200, busy.get(f"{place}&radius_m=5000&limit=100"))["items"]
    assert 0 < len(near) < len(far)
    assert len(far) >= 60
    distances = [spot["distance_m"] for spot in far]
    assert distances == sorted(distances)
    assert [one["spot_id"] for one in far[: len(near)]] == [one["spot_id"] for one in near]
    assert all(spot["distance_m"] <= 600 for spot in near)
    assert expect(200, busy.get(f"{place}&limit=3"))["items"] == expect(200, busy.get(place))["items"][:3]
    assert expect(200, busy.get("/spots?lat=-45&lon=100&radius_m=5000"))["items"] == []


def test_a_booked_window_is_not_available_in_any_answer(world: World, spot: Spot, busy: Driver) -> None:
    begins, hour = now() + timedelta(hours=3), timedelta(hours=1)
    reserve(busy, spot, begins_in=timedelta(hours=3))
    shown = expect(200, busy.get(f"/spots/{spot.spot_id}"))
    turnover = timedelta(minutes=shown["turnover_minutes"])
    lat, lon = shown["location"]["lat"], shown["location"]["lon"]

    def available(starts_in: timedelta) -> set[bool]:
        window = f"starts_at={utc(begins + starts_in)}&ends_at={utc(begins + starts_in + hour)}"
        found = expect(200, busy.get(f"/spots?lat={lat}&lon={lon}&radius_m=20&{window}"))["items"]
        quoted = expect(200, busy.get(f"/spots/{spot.spot_id}/quote?{window}"))
        return {quoted["available"], *(one["available"] for one in found if one["spot_id"] == spot.spot_id)}

    assert available(timedelta(minutes=30)) == {False}
    assert available(hour) == {False}, "the turnover belongs to the stay before"
    assert available(hour + turnover) == {True}
    assert available(-hour - turnover) == {True}
    free = [
        interval
        for day in (begins.date(), begins.date() + timedelta(days=1))
        for interval in expect(200, busy.get(f"/spots/{spot.spot_id}/availability?day={day}"))["free"]
    ]
    booked = (utc(begins), utc(begins + hour))
    assert all(one["ends_at"] <= booked[0] or one["starts_at"] >= booked[1] for one in free)
    assert utc(begins + hour + turnover) in [one["starts_at"] for one in free]
