"""The steps of a stay as a driver takes them, each asserted."""

from datetime import UTC, datetime, timedelta

from local.drivers import Driver
from tests.e2e.world import Json, Spot, World, eventually, expect, utc

RICH_MINOR = 10_000


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def wish(spot: Spot, *, begins_in: timedelta | None = None, lasts: timedelta = timedelta(hours=1)) -> Json:
    """The body of a reservation; without `begins_in` it begins when the request comes."""
    begins = now() + (begins_in or timedelta())
    body = {"spot_id": spot.spot_id, "ends_at": utc(begins + lasts)}
    return body if begins_in is None else body | {"starts_at": utc(begins)}


def reserve(
    driver: Driver, spot: Spot, *, begins_in: timedelta | None = None, lasts: timedelta = timedelta(hours=1)
) -> Json:
    """A held reservation."""
    reservation = expect(201, driver.post("/reservations", wish(spot, begins_in=begins_in, lasts=lasts)))
    assert (reservation["status"], reservation["payments"]) == ("HELD", [])
    return reservation


def pay(driver: Driver, reservation: Json, extension: Json | None = None) -> Json:
    """The payment of a reservation, or of its extension, from the wallet."""
    body = {"reservation_id": reservation["reservation_id"], "method": "WALLET"}
    if extension:
        body["extension_id"] = extension["extension_id"]
    payment = expect(201, driver.post("/payments", body))
    assert (payment["status"], payment["amount"]) == ("SUCCEEDED", (extension or reservation)["price"]["amount"])
    return payment


def paid(
    driver: Driver, spot: Spot, *, begins_in: timedelta | None = None, lasts: timedelta = timedelta(hours=1)
) -> Json:
    """A confirmed reservation."""
    reservation = reserve(driver, spot, begins_in=begins_in, lasts=lasts)
    pay(driver, reservation)
    confirmed = read(driver, reservation)
    assert confirmed["status"] == "CONFIRMED"
    return confirmed


def read(driver: Driver, reservation: Json) -> Json:
    """The reservation as it is now."""
    return expect(200, driver.get(f"/reservations/{reservation['reservation_id']}"))


def act(driver: Driver, reservation: Json, step: str, *, status: int = 200) -> Json:
    """The answer to arrival, departure or cancellation."""
    return expect(status, driver.post(f"/reservations/{reservation['reservation_id']}/{step}"))


def await_guard(driver: Driver, reservation: Json, **wanted: str) -> Json:
    """Until the API shows the blocker so, by its own report."""

    def guarded() -> Json | None:
        seen = read(driver, reservation)
        guard = seen["guard"] or {}
        return seen if all(guard.get(name) == value for name, value in wanted.items()) else None

    return eventually(guarded, f"the guard of {reservation['reservation_id']} to show {wanted}")


def await_status(driver: Driver, reservation: Json, status: str) -> Json:
    """Until the reservation has the status."""

    def reached() -> Json | None:
        seen = read(driver, reservation)
        return seen if seen["status"] == status else None

    return eventually(reached, f"{reservation['reservation_id']} to be {status}")


def parked(world: World, driver: Driver, spot: Spot, *, lasts: timedelta = timedelta(hours=1)) -> Json:
    """A stay that began now, ACTIVE, with the car on the spot as the API sees it."""
    reservation = paid(driver, spot, lasts=lasts)
    await_guard(driver, reservation, position="RAISED")
    act(driver, reservation, "arrival", status=202)
    await_status(driver, reservation, "ACTIVE")
    world.put_car(spot, present=True)
    return await_guard(driver, reservation, position="LOWERED", occupancy="OCCUPIED")


def balance(driver: Driver) -> int:
    amount: int = expect(200, driver.get("/wallet"))["balance"]
    return amount


def everything(driver: Driver, path: str) -> list[Json]:
    """Every item of a list, page by page."""
    items: list[Json] = []
    cursor = ""
    while True:
        page = expect(200, driver.get(f"{path}{'&' if '?' in path else '?'}limit=100{cursor}"))
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = f"&cursor={page['next_cursor']}"


def inbox(driver: Driver, kind: str) -> list[Json]:
    """The notices of one kind, newest first."""
    return [notice for notice in everything(driver, "/notifications") if notice["kind"] == kind]
