"""A driver whose spot is still occupied by the stay before: warned, then moved, or paid back with a credit."""

from datetime import datetime, timedelta

from local.drivers import Driver
from tests.e2e.stays import (
    RICH_MINOR,
    balance,
    everything,
    inbox,
    now,
    paid,
    parked,
    read,
)
from tests.e2e.world import Json, Spot, World, expect, instant, utc

QUARTER, MINUTE = timedelta(minutes=15), timedelta(minutes=1)
TURNOVER, OFFER_AFTER_START = timedelta(minutes=10), timedelta(minutes=5)


def displaced(
    world: World, spot: Spot, before: Driver, waiting: Driver, *, empty: Spot | None
) -> tuple[Json, datetime]:
    """The waiting driver's stay when it is offered more, and when that was; `empty` is seen vacant then."""
    over = parked(world, before, spot, lasts=QUARTER)
    ends = instant(over["ends_at"])
    stay = paid(waiting, spot, begins_in=ends + TURNOVER - now())
    world.tick("CheckExpiring", now())
    world.tick("CheckExpiring", ends - TURNOVER)
    assert len(inbox(before, "SPOT_TAKEN_NEXT")) == 1

    seen_at, offer_at = ends + MINUTE, instant(stay["starts_at"]) + OFFER_AFTER_START
    world.report_again_at(spot, seen_at)
    world.tick("AutoComplete", seen_at)
    (warning,) = inbox(before, "OVERSTAY_WARNING")
    assert warning["data"]["grace_ends_at"] == utc(ends + timedelta(minutes=10))
    assert len(inbox(waiting, "SPOT_STILL_OCCUPIED")) == 1
    assert read(waiting, stay)["displaced_at"] is None

    if empty:
        world.report_for_a_command(empty, offer_at)
    for _ in range(2):
        world.tick("AutoComplete", offer_at)
    assert read(waiting, stay)["displaced_at"] == utc(offer_at)
    return stay, offer_at


def test_who_finds_the_spot_occupied_moves_to_an_equal_one_for_the_same_price(
    world: World, quarter_spot: Spot, driver: Driver, other_driver: Driver
) -> None:
    empty = world.spot_near(quarter_spot)
    stay, at = displaced(world, quarter_spot, driver, other_driver, empty=empty)
    (offer,) = inbox(other_driver, "SPOT_OCCUPIED_MOVE_OFFERED")
    assert offer["data"]["other_spot_id"] == empty.spot_id

    path = f"/reservations/{stay['reservation_id']}"
    refused = world.request_at(at, other_driver, "POST", f"{path}/arrival")
    assert (refused["status"], refused["body"]["code"]) == (409, "spot_not_yet_free")
    found = world.request_at(at + MINUTE, other_driver, "GET", f"{path}/alternatives")
    assert [one["spot_id"] for one in found["body"]["items"]] == [empty.spot_id]
    for _ in range(2):
        moved = world.request_at(at + MINUTE, other_driver, "POST", f"{path}/move", {"spot_id": empty.spot_id})
        assert moved["status"] == 200, moved
    after = read(other_driver, stay)
    assert (after["spot_id"], after["status"], after["displaced_at"]) == (empty.spot_id, "CONFIRMED", None)
    assert (after["price"], after["payments"], after["ends_at"]) == (stay["price"], stay["payments"], stay["ends_at"])
    assert balance(other_driver) == RICH_MINOR - stay["price"]["amount"]
    again = {"spot_id": quarter_spot.spot_id, "starts_at": stay["starts_at"], "ends_at": stay["ends_at"]}
    expect(201, driver.post("/reservations", again))
    world.await_machine(empty, "RAISED")
    world.put_car(quarter_spot, present=False)


def test_who_takes_the_money_instead_gets_all_of_it_and_a_credit(
    world: World, quarter_spot: Spot, driver: Driver, other_driver: Driver
) -> None:
    stay, at = displaced(world, quarter_spot, driver, other_driver, empty=None)
    assert len(inbox(other_driver, "SPOT_OCCUPIED_REFUND_OFFERED")) == 1
    path = f"/reservations/{stay['reservation_id']}/cancellation"
    for _ in range(2):
        ended = world.request_at(at + MINUTE, other_driver, "POST", path)
        assert (ended["status"], ended["body"]["reason"]) == (200, "SPOT_OCCUPIED")
    credit_minor = min(max(stay["price"]["amount"] // 10, 100), stay["price"]["amount"])
    assert balance(other_driver) == RICH_MINOR + credit_minor
    booked = {one["kind"]: one for one in everything(other_driver, "/wallet/transactions")}
    assert (booked["CREDIT"]["amount"], booked["REFUND"]["amount"]) == (credit_minor, stay["price"]["amount"])
    assert {entry["account"] for entry in booked["CREDIT"]["entries"]} == {"goodwill", "wallet"}
    assert len(inbox(other_driver, "CREDIT_GRANTED")) == 1
    world.put_car(quarter_spot, present=False)
