"""How stays end without the driver leaving: cancelled, completed by themselves, overstayed, missed, lapsed."""

from datetime import timedelta

from local.drivers import Driver
from tests.e2e.stays import (
    RICH_MINOR,
    act,
    await_guard,
    balance,
    everything,
    inbox,
    now,
    paid,
    parked,
    pay,
    read,
    reserve,
    wish,
)
from tests.e2e.world import Spot, World, expect, instant, utc

HOUR, QUARTER, MINUTE = timedelta(hours=1), timedelta(minutes=15), timedelta(minutes=1)


def test_who_cancels_before_the_start_gets_everything_back_and_gives_the_spot_back(
    spot: Spot, driver: Driver, other_driver: Driver
) -> None:
    stay = paid(driver, spot, begins_in=2 * HOUR)
    cancelled = act(driver, stay, "cancellation")
    assert (cancelled["status"], cancelled["reason"]) == ("CANCELLED", "CANCELLED_BY_DRIVER")
    assert act(driver, stay, "cancellation") == cancelled

    assert balance(driver) == RICH_MINOR
    refund, payment, _deposit = everything(driver, "/wallet/transactions")
    assert (refund["kind"], refund["amount"]) == ("REFUND", -payment["amount"])
    assert {entry["account"] for entry in refund["entries"]} == {"wallet", "revenue"}
    assert expect(200, driver.get(f"/payments/{payment['payment_id']}"))["status"] == "REFUNDED"
    receipt = expect(200, driver.get(f"/reservations/{stay['reservation_id']}/receipt"))
    assert receipt["refunded_amount"] == receipt["paid_amount"] == stay["price"]["amount"]
    assert len(inbox(driver, "RESERVATION_CANCELLED")) == 1
    reserve(other_driver, spot, begins_in=2 * HOUR)


def test_who_cancels_after_the_start_gets_nothing_back(world: World, spot: Spot, driver: Driver) -> None:
    stay = paid(driver, spot)
    await_guard(driver, stay, position="RAISED")
    act(driver, stay, "cancellation")
    assert balance(driver) == RICH_MINOR - stay["price"]["amount"]
    world.await_machine(spot, "LOWERED")


def test_a_stay_whose_car_is_gone_completes_by_itself_at_its_end(world: World, spot: Spot, driver: Driver) -> None:
    stay = parked(world, driver, spot)
    world.put_car(spot, present=False)
    await_guard(driver, stay, occupancy="VACANT")
    ends = instant(stay["ends_at"])
    world.tick("CheckExpiring", ends - 2 * QUARTER)
    world.tick("AutoComplete", ends - timedelta(seconds=1))
    assert read(driver, stay)["status"] == "ACTIVE"
    world.tick("AutoComplete", ends)
    completed = read(driver, stay)
    assert (completed["status"], completed["reason"]) == ("COMPLETED", "TIME_ENDED")
    assert completed["ended_at"] == stay["ends_at"]
    world.tick("AutoComplete", ends + MINUTE)
    assert read(driver, stay) == completed
    assert len(inbox(driver, "RESERVATION_COMPLETED")) == 1


def test_an_overstay_stays_active_while_the_car_is_seen(world: World, quarter_spot: Spot, driver: Driver) -> None:
    stay = parked(world, driver, quarter_spot, lasts=QUARTER)
    ends = instant(stay["ends_at"])
    world.tick("CheckExpiring", now())
    world.tick("AutoComplete", ends)
    assert read(driver, stay)["status"] == "ACTIVE"
    world.put_car(quarter_spot, present=False)
    await_guard(driver, stay, occupancy="VACANT")
    world.tick("AutoComplete", ends + MINUTE)
    completed = read(driver, stay)
    assert (completed["status"], completed["reason"]) == ("COMPLETED", "TIME_ENDED")


def test_who_never_arrives_is_a_no_show_without_a_refund(world: World, quarter_spot: Spot, driver: Driver) -> None:
    stay = paid(driver, quarter_spot, lasts=QUARTER)
    await_guard(driver, stay, position="RAISED")
    ends = instant(stay["ends_at"])
    # The notice of so short a stay was due before it began, and an item's steps are done in their order.
    for schedule in ("CheckExpiring", "PrepareUpcoming"):
        world.tick(schedule, now() + MINUTE)
    world.tick("AutoComplete", ends)
    missed = read(driver, stay)
    assert (missed["status"], missed["reason"]) == ("NO_SHOW", "NEVER_ARRIVED")
    assert balance(driver) == RICH_MINOR - stay["price"]["amount"]
    assert len(inbox(driver, "RESERVATION_NO_SHOW")) == 1
    assert expect(409, driver.post(f"/reservations/{stay['reservation_id']}/arrival"))["code"] == "wrong_state"


def test_who_came_and_found_the_blocker_stuck_gets_everything_back(world: World, spot: Spot, driver: Driver) -> None:
    stay = paid(driver, spot)
    await_guard(driver, stay, position="RAISED")
    world.put_network(spot, online=False)
    await_guard(driver, stay, connectivity="OFFLINE")
    act(driver, stay, "arrival", status=202)
    ends = instant(stay["ends_at"])
    # An item's steps are done in their order, and each look at the blocker puts the next one a while ahead.
    world.tick("PrepareUpcoming", ends - 2 * QUARTER)
    world.tick("CheckExpiring", ends - 2 * QUARTER)
    world.tick("PrepareUpcoming", ends - timedelta(seconds=1))
    world.tick("AutoComplete", ends)
    failed = read(driver, stay)
    assert (failed["status"], failed["reason"]) == ("CANCELLED", "BLOCKER_FAILED")
    assert balance(driver) == RICH_MINOR
    assert everything(driver, "/wallet/transactions")[0]["kind"] == "REFUND"
    assert len(inbox(driver, "RESERVATION_CANCELLED")) == 1
    world.put_network(spot, online=True)


def test_an_unpaid_hold_lapses_by_schedule(world: World, spot: Spot, driver: Driver, other_driver: Driver) -> None:
    stay = reserve(driver, spot, begins_in=2 * HOUR)
    lapses = instant(stay["hold_expires_at"])
    world.tick("ExpireHolds", lapses - timedelta(seconds=1))
    assert read(driver, stay)["status"] == "HELD"
    world.tick("ExpireHolds", lapses + timedelta(seconds=1))
    expired = read(driver, stay)
    assert (expired["status"], expired["reason"]) == ("EXPIRED", "HOLD_EXPIRED")
    assert len(inbox(driver, "RESERVATION_EXPIRED")) == 1
    too_late = {"reservation_id": stay["reservation_id"], "method": "WALLET"}
    assert expect(409, driver.post("/payments", too_late))["code"] == "hold_expired"
    assert balance(driver) == RICH_MINOR
    reserve(other_driver, spot, begins_in=2 * HOUR)


def test_a_lapsed_hold_gives_way_to_the_next_driver_before_any_schedule_runs(
    world: World, spot: Spot, driver: Driver, other_driver: Driver
) -> None:
    stay = reserve(driver, spot, begins_in=2 * HOUR)
    wanted = wish(spot, begins_in=2 * HOUR)
    lapses = instant(stay["hold_expires_at"])
    refused = world.request_at(lapses - timedelta(seconds=1), other_driver, "POST", "/reservations", wanted)
    assert (refused["status"], refused["body"]["code"]) == (409, "spot_unavailable")
    taken = world.request_at(lapses + timedelta(seconds=1), other_driver, "POST", "/reservations", wanted)
    assert (taken["status"], taken["body"]["status"]) == (201, "HELD")
    expired = read(driver, stay)
    assert (expired["status"], expired["reason"]) == ("EXPIRED", "HOLD_EXPIRED")
    assert len(inbox(driver, "RESERVATION_EXPIRED")) == 1


def test_an_unpaid_extension_lapses_and_costs_nothing(
    world: World, spot: Spot, driver: Driver, other_driver: Driver
) -> None:
    stay = paid(driver, spot, begins_in=HOUR)
    before = balance(driver)
    longer = {"ends_at": utc(instant(stay["ends_at"]) + HOUR)}
    extension = expect(201, driver.post(f"/reservations/{stay['reservation_id']}/extensions", longer))
    held_too = wish(spot, begins_in=instant(stay["ends_at"]) + QUARTER - now())
    assert expect(409, other_driver.post("/reservations", held_too))["code"] == "spot_unavailable"

    world.tick("ExpireHolds", instant(extension["hold_expires_at"]) + timedelta(seconds=1))
    after = read(driver, stay)
    assert (after["ends_at"], after["extensions"][0]["status"]) == (stay["ends_at"], "EXPIRED")
    assert balance(driver) == before
    expect(201, other_driver.post("/reservations", held_too))


def test_two_payments_of_one_reservation_cost_once(spot: Spot, driver: Driver) -> None:
    stay = reserve(driver, spot, begins_in=HOUR)
    pay(driver, stay)
    again = driver.post("/payments", {"reservation_id": stay["reservation_id"], "method": "WALLET"})
    assert expect(409, again)["code"] == "already_paid"
    assert balance(driver) == RICH_MINOR - stay["price"]["amount"]


def test_a_wallet_that_holds_too_little_pays_nothing(world: World, spot: Spot) -> None:
    poor = world.driver(100)
    stay = reserve(poor, spot, begins_in=HOUR, lasts=4 * HOUR)
    refused = expect(402, poor.post("/payments", {"reservation_id": stay["reservation_id"], "method": "WALLET"}))
    assert refused["code"] == "insufficient_funds"
    assert (balance(poor), read(poor, stay)["status"]) == (100, "HELD")
    assert everything(poor, "/payments")[0]["purpose"] == "DEPOSIT"
