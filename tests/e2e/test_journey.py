"""The main job: two drivers and one spot, from the hold to the receipt. Time moves by scheduled events."""

from datetime import timedelta

from local.drivers import Driver
from tests.e2e.stays import (
    RICH_MINOR,
    act,
    await_guard,
    await_status,
    balance,
    everything,
    inbox,
    now,
    paid,
    pay,
    read,
    reserve,
)
from tests.e2e.world import Json, Spot, World, expect, instant, utc

HALF_HOUR = timedelta(minutes=30)


def test_a_stay_from_the_hold_to_the_receipt(world: World, spot: Spot, driver: Driver, other_driver: Driver) -> None:
    stay = _reserved_against_another(spot, driver, other_driver)
    _raised_and_lowered(world, spot, driver, stay)
    longer, extension = _told_and_extended(world, driver, stay)
    _refused_because_of_the_next(world, spot, driver, other_driver, longer)

    world.put_car(spot, present=False)
    left = act(driver, stay, "departure")
    assert (left["status"], left["reason"]) == ("COMPLETED", "DEPARTED")
    assert [one["data"]["reservation_id"] for one in inbox(driver, "RESERVATION_COMPLETED")] == [stay["reservation_id"]]
    world.await_machine(spot, "LOWERED")
    _settled(driver, stay, extension)


def _reserved_against_another(spot: Spot, driver: Driver, other_driver: Driver) -> Json:
    """Quoted, held at the quoted price, refused to somebody else, and paid."""
    begins = now()
    window = f"starts_at={utc(begins)}&ends_at={utc(begins + timedelta(hours=1))}"
    quote = expect(200, driver.get(f"/spots/{spot.spot_id}/quote?{window}"))
    assert quote["available"]
    wish = {"spot_id": spot.spot_id, "ends_at": quote["ends_at"], "quoted_amount": quote["amount"]}
    wish |= {"starts_at": quote["starts_at"], "vehicle_plate": "123 ABC"}
    stay = expect(201, driver.post("/reservations", wish))
    assert (stay["status"], stay["price"]["amount"], stay["guard"]) == ("HELD", quote["amount"], None)
    assert instant(stay["hold_expires_at"]) - instant(stay["created_at"]) == timedelta(minutes=10)

    overlapping = {
        "spot_id": spot.spot_id,
        "starts_at": utc(begins + HALF_HOUR),
        "ends_at": utc(begins + 3 * HALF_HOUR),
    }
    assert expect(409, other_driver.post("/reservations", overlapping))["code"] == "spot_unavailable"
    assert not expect(200, driver.get(f"/spots/{spot.spot_id}/quote?{window}"))["available"]
    too_early = expect(409, driver.post(f"/reservations/{stay['reservation_id']}/arrival"))
    assert too_early["code"] == "not_paid"

    payment = pay(driver, stay)
    assert payment["purpose"] == "RESERVATION"
    assert balance(driver) == RICH_MINOR - quote["amount"]
    (notice,) = inbox(driver, "PAYMENT_SUCCEEDED")
    assert notice["data"]["payment_id"] == payment["payment_id"]
    return stay


def _raised_and_lowered(world: World, spot: Spot, driver: Driver, stay: Json) -> None:
    """The device reports RAISED, and after the arrival LOWERED; only then the stay is ACTIVE."""
    confirmed = await_guard(driver, stay, position="RAISED", occupancy="VACANT", connectivity="ONLINE")
    assert confirmed["status"] == "CONFIRMED"
    assert world.machine(spot)["position"] == "RAISED"

    asked = act(driver, stay, "arrival", status=202)
    assert asked["arrival_requested_at"]
    active = await_status(driver, stay, "ACTIVE")
    assert active["arrived_at"] >= asked["arrival_requested_at"]
    assert world.machine(spot)["position"] == "LOWERED"
    world.put_car(spot, present=True)
    await_guard(driver, stay, position="LOWERED", occupancy="OCCUPIED")
    motor = [entry["detail"] for entry in world.machine(spot)["journal"] if entry["what"] == "motor"]
    assert motor == ["raising", "stopped", "lowering", "stopped"]


def _told_and_extended(world: World, driver: Driver, stay: Json) -> tuple[Json, Json]:
    """Half an hour before the end the notice offers more time; it is taken and paid, and only then the end moves."""
    ends = instant(stay["ends_at"])
    world.tick("CheckExpiring", ends - HALF_HOUR - timedelta(seconds=1))
    assert inbox(driver, "STAY_ENDING_EXTENDABLE") == []
    world.tick("CheckExpiring", ends - HALF_HOUR)
    world.tick("CheckExpiring", ends - HALF_HOUR)
    (notice,) = inbox(driver, "STAY_ENDING_EXTENDABLE")
    assert (notice["data"]["extendable"], notice["data"]["ends_at"]) == ("true", stay["ends_at"])
    path = f"/reservations/{stay['reservation_id']}"
    option = expect(200, driver.get(f"{path}/extension?ends_at={utc(ends + HALF_HOUR)}"))
    assert (option["extendable"], option["latest_ends_at"]) == (True, notice["data"]["latest_ends_at"])

    before = balance(driver)
    extension = expect(201, driver.post(f"{path}/extensions", {"ends_at": utc(ends + HALF_HOUR)}))
    assert (extension["status"], extension["price"]["amount"]) == ("HELD", option["price"]["amount"])
    assert read(driver, stay)["ends_at"] == stay["ends_at"]
    assert pay(driver, stay, extension)["purpose"] == "EXTENSION"
    longer = read(driver, stay)
    assert longer["ends_at"] == extension["ends_at"] == utc(ends + HALF_HOUR)
    assert balance(driver) == before - option["price"]["amount"]
    return longer, extension


def _refused_because_of_the_next(world: World, spot: Spot, driver: Driver, other_driver: Driver, longer: Json) -> None:
    """The next driver takes the time right behind the turnover; a further notice says so, and more time is refused."""
    ends = instant(longer["ends_at"])
    turnover = timedelta(minutes=expect(200, driver.get(f"/spots/{spot.spot_id}"))["turnover_minutes"])
    too_near = {"spot_id": spot.spot_id, "starts_at": utc(ends), "ends_at": utc(ends + timedelta(hours=1))}
    assert expect(409, other_driver.post("/reservations", too_near))["code"] == "spot_unavailable"
    paid(other_driver, spot, begins_in=ends + turnover - now())

    world.tick("CheckExpiring", ends - HALF_HOUR)
    (notice,) = inbox(driver, "STAY_ENDING_SPOT_TAKEN")
    assert (notice["data"]["extendable"], notice["data"]["ends_at"]) == ("false", longer["ends_at"])
    path = f"/reservations/{longer['reservation_id']}"
    assert not expect(200, driver.get(f"{path}/extension"))["extendable"]
    refused = expect(409, driver.post(f"{path}/extensions", {"ends_at": utc(ends + HALF_HOUR)}))
    assert (refused["code"], refused["latest_ends_at"]) == ("extension_unavailable", longer["ends_at"])
    assert read(driver, longer) == longer | {"guard": read(driver, longer)["guard"]}


def _settled(driver: Driver, stay: Json, extension: Json) -> None:
    """The receipt and the ledger say the same."""
    amount = stay["price"]["amount"] + extension["price"]["amount"]
    receipt = expect(200, driver.get(f"/reservations/{stay['reservation_id']}/receipt"))
    assert (receipt["status"], receipt["reason"]) == ("COMPLETED", "DEPARTED")
    assert (receipt["paid_amount"], receipt["refunded_amount"]) == (amount, 0)
    assert sum(line["amount"] for line in receipt["lines"]) == amount
    assert [payment["purpose"] for payment in receipt["payments"]] == ["RESERVATION", "EXTENSION"]
    kinds = [transaction["kind"] for transaction in everything(driver, "/wallet/transactions")]
    assert kinds == ["WALLET_PAYMENT", "WALLET_PAYMENT", "DEPOSIT"]
    assert balance(driver) == RICH_MINOR - amount


def test_the_receipt_of_a_stay_that_goes_on_is_not_ready(spot: Spot, driver: Driver) -> None:
    stay = reserve(driver, spot)
    refused = expect(409, driver.get(f"/reservations/{stay['reservation_id']}/receipt"))
    assert refused["code"] == "wrong_state"
