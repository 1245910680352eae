"""What operators do by invoking functions: put spots on the map, and move a blocker by hand."""

import json
from typing import Any

import pytest

from local.drivers import Driver
from tests.e2e.stays import await_guard, paid, read
from tests.e2e.world import Json, Spot, World, eventually, expect

WISH: Json = {
    "spot_id": "e2e-spot",
    "name": "End 2",
    "address": "End 2, Tallinn",
    "latitude": 59.41,
    "longitude": 24.66,
    "time_zone": "Europe/Tallinn",
    "tariff": {"price_per_hour_minor": 300, "currency": "EUR"},
}


def shown(driver: Driver, spot_id: str) -> Json:
    return expect(200, driver.get(f"/spots/{spot_id}"))


def test_a_spot_provisioned_twice_is_one_spot(world: World, driver: Driver) -> None:
    wish = WISH | {"spot_id": "e2e-twice"}
    first, failed = world.invoke("ProvisionSpot", wish)
    assert not failed, first
    world.secrets_seen.add(first["private_key"].splitlines()[1])
    assert first["certificate_pem"].startswith("-----BEGIN CERTIFICATE-----")
    before = shown(driver, "e2e-twice")

    again, failed = world.invoke("ProvisionSpot", wish)
    assert not failed, again
    assert again == first | {"certificate_pem": None, "private_key": None}
    assert shown(driver, "e2e-twice") == before
    near = expect(200, driver.get(f"/spots?lat={wish['latitude']}&lon={wish['longitude']}&radius_m=50"))
    assert [one["spot_id"] for one in near["items"]].count("e2e-twice") == 1


def test_a_changed_wish_changes_the_spot_and_gives_the_tariff_its_next_version(world: World, driver: Driver) -> None:
    wish = WISH | {"spot_id": "e2e-changed"}
    world.invoke("ProvisionSpot", wish)
    dearer = wish | {"name": "End 4", "tariff": {"price_per_hour_minor": 600, "currency": "EUR"}}
    _, failed = world.invoke("ProvisionSpot", dearer)
    assert not failed
    spot = shown(driver, "e2e-changed")
    assert (spot["name"], spot["tariff"]["price_per_hour"], spot["tariff"]["version"]) == ("End 4", 600, 2)


def test_a_new_certificate_cuts_off_the_earlier_one(world: World) -> None:
    wish = WISH | {"spot_id": "e2e-rotated"}
    first, _ = world.invoke("ProvisionSpot", wish)
    second, failed = world.invoke("ProvisionSpot", wish | {"new_certificate": True})
    assert not failed, second
    assert second["certificate_id"] != first["certificate_id"]
    iot = world.stack.client("iot")
    old = iot.describe_certificate(certificateId=first["certificate_id"])["certificateDescription"]
    assert old["status"] == "INACTIVE"
    (principal,) = iot.list_thing_principals(thingName=first["blocker_id"])["principals"]
    assert principal.endswith(second["certificate_id"])


def test_a_spot_out_of_service_is_not_offered(world: World, driver: Driver) -> None:
    wish = WISH | {"spot_id": "e2e-closed", "latitude": 59.42, "service_state": "OUT_OF_SERVICE"}
    _, failed = world.invoke("ProvisionSpot", wish)
    assert not failed
    assert shown(driver, "e2e-closed")["service_state"] == "OUT_OF_SERVICE"
    near = expect(200, driver.get(f"/spots?lat={wish['latitude']}&lon={wish['longitude']}&radius_m=50"))
    assert near["items"] == []
    body = {"spot_id": "e2e-closed", "starts_at": "2027-01-04T09:00:00Z", "ends_at": "2027-01-04T10:00:00Z"}
    assert expect(409, driver.post("/reservations", body))["code"] == "spot_unavailable"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("spot_id", "No Such Id!"),
        ("spot_id", None),
        ("name", ""),
        ("latitude", 91),
        ("longitude", "east"),
        ("time_zone", "Europe/Atlantis"),
        ("turnover_minutes", -1),
        ("idle_position", "MOVING"),
        ("tariff", {"price_per_hour_minor": 0, "currency": "EUR"}),
        ("tariff", {"price_per_hour_minor": 300, "currency": "euro"}),
        ("surprise", 1),
    ],
)
def test_a_bad_wish_names_its_field(world: World, field: str, value: Any) -> None:
    answer, failed = world.invoke("ProvisionSpot", WISH | {field: value})
    assert failed
    assert field in answer["errorMessage"], answer


def test_an_operator_lowers_a_raised_blocker_and_it_is_kept_who_and_why(
    world: World, spot: Spot, driver: Driver
) -> None:
    stay = paid(driver, spot)
    await_guard(driver, stay, position="RAISED")
    wish = {"blocker_id": spot.blocker_id, "position": "LOWERED", "operator": "Mari", "reason": "ambulance at the gate"}
    answer, failed = world.invoke("BlockerCommand", wish)
    assert not failed, answer
    assert answer.items() >= wish.items()
    assert answer["command_id"]
    world.await_machine(spot, "LOWERED")
    await_guard(driver, stay, position="LOWERED")
    assert read(driver, stay)["status"] == "CONFIRMED", "an operator's LOWER is no arrival"

    def audited() -> bool:
        lines = [json.loads(line) for line in world.log("BlockerCommand") if line.startswith("{")]
        return any(line.items() >= wish.items() for line in lines)

    eventually(audited, "the command in the log")


def test_an_operator_cannot_raise_a_blocker_under_a_car(world: World, spot: Spot, driver: Driver) -> None:
    world.put_car(spot, present=True)
    stay = paid(driver, spot)
    await_guard(driver, stay, occupancy="OCCUPIED")
    wish = {"blocker_id": spot.blocker_id, "position": "RAISED", "operator": "Mari", "reason": "wants it closed"}
    answer, failed = world.invoke("BlockerCommand", wish)
    assert not failed, answer
    assert "raising" not in [entry["detail"] for entry in world.machine(spot)["journal"]]
    assert world.machine(spot)["position"] == "LOWERED"


@pytest.mark.parametrize(
    ("field", "value"),
    [("position", "MOVING"), ("operator", ""), ("reason", "x"), ("blocker_id", "a b"), ("at", "now"), ("surprise", 1)],
)
def test_a_bad_command_names_its_field(world: World, field: str, value: Any) -> None:
    wish = {"blocker_id": "blocker-none", "position": "LOWERED", "operator": "Mari", "reason": "of the test"}
    answer, failed = world.invoke("BlockerCommand", wish | {field: value})
    assert failed
    assert field in answer["errorMessage"], answer


def test_a_command_to_an_unknown_blocker_is_refused(world: World) -> None:
    wish = {"blocker_id": "blocker-none", "position": "LOWERED", "operator": "Mari", "reason": "of the test"}
    answer, failed = world.invoke("BlockerCommand", wish)
    assert failed
    assert answer["errorMessage"] == "There is no such blocker."


@pytest.mark.parametrize("schedule", ["ExpireHolds", "CheckExpiring", "AutoComplete", "PrepareUpcoming"])
@pytest.mark.parametrize("event", [{}, {"time": "soon"}, {"time": "2026-01-31T09:30:00"}, {"time": None}])
def test_a_schedule_without_a_time_does_nothing_and_says_so(world: World, schedule: str, event: Json) -> None:
    answer, failed = world.invoke(schedule, event)
    assert failed
    assert "time" in answer["errorMessage"], answer
