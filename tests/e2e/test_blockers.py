"""The machine in the street follows the reservations: up ahead of a stay, never under a car, down for its owner."""

from datetime import timedelta

from local.drivers import Driver
from tests.e2e.stays import act, await_guard, await_status, now, paid, read, wish
from tests.e2e.world import Spot, World, eventually, expect, instant

TEN_MINUTES, HOUR = timedelta(minutes=10), timedelta(hours=1)


def await_connectivity(driver: Driver, spot: Spot, wanted: str) -> None:
    """Until the map shows the blocker so."""

    def is_so() -> bool:
        shown: str = expect(200, driver.get(f"/spots/{spot.spot_id}"))["blocker"]["connectivity"]
        return shown == wanted

    eventually(is_so, f"{spot.blocker_id} to be {wanted}")


def raises(world: World, spot: Spot) -> int:
    """How often the device was told to raise the barrier."""
    told = [entry["detail"] for entry in world.machine(spot)["journal"] if entry["what"] == "command"]
    return sum(detail.startswith("RAISED") for detail in told)


def test_the_blocker_of_a_stay_that_begins_soon_is_raised_as_soon_as_it_is_paid(spot: Spot, driver: Driver) -> None:
    stay = paid(driver, spot, begins_in=TEN_MINUTES)
    raised = await_guard(driver, stay, position="RAISED")
    assert raised["status"] == "CONFIRMED"


def test_the_schedule_raises_the_blocker_a_quarter_of_an_hour_ahead(world: World, spot: Spot, driver: Driver) -> None:
    stay = paid(driver, spot, begins_in=timedelta(minutes=20))
    opens = instant(stay["starts_at"]) - timedelta(minutes=15)
    world.tick("PrepareUpcoming", opens - timedelta(seconds=1))
    assert raises(world, spot) == 0
    assert read(driver, stay)["guard"]["position"] == "LOWERED"
    world.tick("PrepareUpcoming", opens)
    await_guard(driver, stay, position="RAISED")
    world.tick("PrepareUpcoming", opens + timedelta(minutes=1))
    assert raises(world, spot) == 1


def test_nothing_is_raised_under_a_car_but_once_it_has_left(world: World, spot: Spot, driver: Driver) -> None:
    world.put_car(spot, present=True)
    # The API shows what the sensor sees only to who has paid: a stay of another time lets us know that it is known.
    elsewhen = paid(driver, spot, begins_in=2 * HOUR)
    await_guard(driver, elsewhen, occupancy="OCCUPIED")
    stay = paid(driver, spot, begins_in=TEN_MINUTES)
    world.tick("PrepareUpcoming", now() + timedelta(minutes=1))
    assert world.shadow(spot)["desired"]["position"] == "LOWERED"
    assert read(driver, stay)["guard"]["position"] == "LOWERED"

    world.put_car(spot, present=False)
    await_guard(driver, stay, position="RAISED", occupancy="VACANT")
    assert raises(world, spot) == 1


def test_an_offline_blocker_cannot_be_reserved_from_now_but_for_later(world: World, spot: Spot, driver: Driver) -> None:
    world.put_network(spot, online=False)
    await_connectivity(driver, spot, "OFFLINE")
    refused = expect(409, driver.post("/reservations", wish(spot)))
    assert refused["code"] == "blocker_unavailable"
    expect(201, driver.post("/reservations", wish(spot, begins_in=2 * HOUR)))

    world.put_network(spot, online=True)
    await_connectivity(driver, spot, "ONLINE")
    expect(201, driver.post("/reservations", wish(spot)))


def test_a_device_that_comes_back_gets_the_lower_that_waits_for_it(world: World, spot: Spot, driver: Driver) -> None:
    stay = paid(driver, spot)
    await_guard(driver, stay, position="RAISED")
    world.put_network(spot, online=False)
    await_guard(driver, stay, connectivity="OFFLINE")
    assert act(driver, stay, "arrival", status=202)["status"] == "CONFIRMED"
    eventually(lambda: world.shadow(spot)["desired"]["position"] == "LOWERED", "the LOWER to wait in the shadow")
    assert world.machine(spot)["position"] == "RAISED"
    assert read(driver, stay)["status"] == "CONFIRMED"

    world.put_network(spot, online=True)
    assert await_status(driver, stay, "ACTIVE")["arrived_at"]
    assert world.machine(spot)["position"] == "LOWERED"


def test_arrival_again_is_the_same_arrival(world: World, spot: Spot, driver: Driver) -> None:
    stay = paid(driver, spot)
    await_guard(driver, stay, position="RAISED")
    first = act(driver, stay, "arrival", status=202)
    again = act(driver, stay, "arrival", status=202)
    assert again["arrival_requested_at"] == first["arrival_requested_at"]
    await_status(driver, stay, "ACTIVE")
    motor = [entry["detail"] for entry in world.machine(spot)["journal"] if entry["what"] == "motor"]
    assert motor == ["raising", "stopped", "lowering", "stopped"]


def test_who_comes_ten_minutes_early_is_let_in(world: World, spot: Spot, driver: Driver) -> None:
    stay = paid(driver, spot, begins_in=TEN_MINUTES)
    await_guard(driver, stay, position="RAISED")
    act(driver, stay, "arrival", status=202)
    active = await_status(driver, stay, "ACTIVE")
    assert instant(active["arrived_at"]) < instant(stay["starts_at"])
    assert world.machine(spot)["position"] == "LOWERED"


def test_who_comes_late_is_let_in_although_the_next_driver_may_come_too(
    world: World, quarter_spot: Spot, driver: Driver, other_driver: Driver
) -> None:
    stay = paid(driver, quarter_spot, lasts=timedelta(minutes=15))
    await_guard(driver, stay, position="RAISED")
    following = paid(other_driver, quarter_spot, begins_in=timedelta(minutes=25))
    late = instant(following["starts_at"]) - timedelta(minutes=13)
    arrival = world.request_at(late, driver, "POST", f"/reservations/{stay['reservation_id']}/arrival")
    assert arrival["status"] == 202
    world.await_machine(quarter_spot, "LOWERED")


def test_arrival_is_refused_outside_its_window(spot: Spot, driver: Driver) -> None:
    stay = paid(driver, spot, begins_in=HOUR)
    refused = expect(409, driver.post(f"/reservations/{stay['reservation_id']}/arrival"))
    assert refused["code"] == "outside_arrival_window"
    assert instant(refused["opens_at"]) == instant(stay["starts_at"]) - timedelta(minutes=15)
    assert refused["closes_at"] == stay["ends_at"]
    assert read(driver, stay)["arrival_requested_at"] is None
