"""A driver before a barrier that has no network: the code from the app opens it, and the stay begins all the same."""

from datetime import timedelta

from local.drivers import Driver
from tests.e2e.stays import act, await_guard, await_status, now, paid, read
from tests.e2e.world import Spot, World, expect, instant


def test_a_barrier_without_network_goes_down_for_the_code_once_and_tells_of_it_later(
    world: World, spot: Spot, driver: Driver
) -> None:
    stay = paid(driver, spot)
    await_guard(driver, stay, position="RAISED")
    world.put_network(spot, online=False)
    path = f"/reservations/{stay['reservation_id']}/offline-code"
    assert expect(409, driver.get(path))["code"] == "offline_code_unavailable"
    act(driver, stay, "arrival", status=202)
    early = expect(409, driver.get(path))
    half_a_minute_later = instant(early["available_at"]) + timedelta(seconds=1)
    assert expect(404, world.driver().get(path))["code"] == "not_found"

    given = world.request_at(half_a_minute_later, driver, "GET", path)
    assert given["status"] == 200, given
    code = given["body"]["code"]
    assert now() + timedelta(minutes=4) < instant(given["body"]["expires_at"]) < now() + timedelta(minutes=7)
    wrong = f"{(int(code) + 1) % 10**8:08}"
    assert world.type_code(spot, wrong) == "WRONG"
    assert world.type_code(spot, code) == "OPENS"
    world.await_machine(spot, "LOWERED")
    assert world.type_code(spot, code) == "WRONG", "a code opens once"
    assert (world.machine(spot)["connected"], read(driver, stay)["status"]) == (False, "CONFIRMED")

    world.put_network(spot, online=True)
    assert await_status(driver, stay, "ACTIVE")["arrived_at"]
    assert world.shadow(spot)["reported"]["opened_for"] == stay["reservation_id"]
