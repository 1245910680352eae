"""What operators do by invoking functions: put spots on the map, steer a blocker by hand, and look."""

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local import city, cloud
from local.drivers import Driver
from local.tools import sam
from operators import spots
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
    world.secrets_seen |= {first["private_key"].splitlines()[1], first["offline_secret"]}
    assert first["certificate_pem"].startswith("-----BEGIN CERTIFICATE-----")
    before = shown(driver, "e2e-twice")

    again, failed = world.invoke("ProvisionSpot", wish)
    assert not failed, again
    assert again == first | {"certificate_pem": None, "private_key": None, "offline_secret": None}
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


def test_many_spots_come_from_a_csv_whole_or_not_at_all_and_once(world: World, driver: Driver, tmp_path: Path) -> None:
    header = "spot_id,name,address,latitude,longitude,time_zone,tariff.price_per_hour_minor,tariff.currency\n"
    good = [f'e2e-csv-{n},Csv {n},"Csv {n}, Tallinn",59.43,24.67,Europe/Tallinn,300,EUR\n' for n in (1, 2)]
    provision = spots.provisioner(world.stack.client("lambda"), world.functions["ProvisionSpot"])
    with pytest.raises(spots.Wrong) as wrong:
        spots.check(spots.read(iter([header, good[0], good[1].replace("59.43", "north")])), provision)
    assert [problem[: len("line 3: latitude")] for problem in wrong.value.problems] == ["line 3: latitude"]
    expect(404, driver.get("/spots/e2e-csv-1"))

    rows = spots.read(iter([header, *good]))
    assert len(spots.check(rows, provision)["CREATE"]) == 2
    spots.carry_out(rows, provision, tmp_path, codes=True)
    assert shown(driver, "e2e-csv-2")["address"] == "Csv 2, Tallinn"
    assert len(spots.check(rows, provision)["NOTHING"]) == 2
    codes = [file.read_text().strip() for file in tmp_path.glob("*.code")]
    assert len(codes) == 2
    world.secrets_seen.update(codes)


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


def command(world: World, blocker_id: str, action: str) -> Json:
    wish = {"blocker_id": blocker_id, "action": action, "operator": "Mari", "reason": "ambulance at the gate"}
    answer, failed = world.invoke("BlockerCommand", wish)
    assert not failed, answer
    assert answer.items() >= wish.items()
    return answer


def report(world: World, spot: Spot) -> Json:
    shown, failed = world.invoke("SpotReport", {"spot_id": spot.spot_id})
    assert not failed, shown
    return shown


def test_an_operator_lowers_a_raised_blocker_and_it_is_kept_who_and_why(
    world: World, spot: Spot, driver: Driver
) -> None:
    stay = paid(driver, spot)
    await_guard(driver, stay, position="RAISED")
    lowered = command(world, spot.blocker_id, "LOWER")
    world.await_machine(spot, "LOWERED")
    await_guard(driver, stay, position="LOWERED")
    assert read(driver, stay)["status"] == "CONFIRMED", "an operator's LOWER is no arrival"

    def done() -> bool:
        newest = report(world, spot)["commands"][0]
        return (newest["command_id"], newest["status"]) == (lowered["command_id"], "SUCCEEDED")

    eventually(done, "the command's end in the report")
    shown = report(world, spot)
    [said] = shown["audit"]
    assert (said["action"], said["word"]["operator"], said["word"]["reason"]) == (
        "LOWER",
        "Mari",
        "ambulance at the gate",
    )
    assert said["word"]["request_id"]
    [booked] = shown["booked"]
    assert (booked["reservation_id"], booked["status"]) == (stay["reservation_id"], "CONFIRMED")
    assert shown["blocker"]["override"]["position"] == "LOWERED"
    assert (shown["spot"]["spot_id"], shown["occupancy"]) == (spot.spot_id, "VACANT")

    command(world, spot.blocker_id, "RESYNC")
    world.await_machine(spot, "RAISED")
    assert [entry["action"] for entry in report(world, spot)["audit"]] == ["RESYNC", "LOWER"]


def test_an_operator_steers_a_blocker_by_the_sam_cli(world: World, later_spot: Spot) -> None:
    """As docs/operations/spots.md says it."""
    event = {"blocker_id": later_spot.blocker_id, "action": "RESYNC", "operator": "anna", "reason": "ticket 4711"}
    asked = [str(sam()), "remote", "invoke", "BlockerCommand", "--stack-name", world.stack.stack_name]
    port = urlsplit(world.stack.aws_endpoint_url).port
    assert port is not None
    done = subprocess.run(
        [*asked, "--event", json.dumps(event)],
        env=cloud.tool_variables(port),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["blocker_id"] == later_spot.blocker_id
    said = report(world, later_spot)["audit"][0]
    assert (said["action"], said["word"]["operator"], said["word"]["reason"]) == ("RESYNC", "anna", "ticket 4711")


def test_an_operator_cannot_raise_a_blocker_under_a_car(world: World, spot: Spot, driver: Driver) -> None:
    world.put_car(spot, present=True)
    stay = paid(driver, spot)
    await_guard(driver, stay, occupancy="OCCUPIED")
    before = report(world, spot)["commands"]
    command(world, spot.blocker_id, "RAISE")
    shown = report(world, spot)
    assert shown["blocker"]["override"]["position"] == "RAISED"
    assert shown["commands"] == before, "the service itself asks for nothing while a car is seen"
    assert "raising" not in [entry["detail"] for entry in world.machine(spot)["journal"]]
    assert world.machine(spot)["position"] == "LOWERED"


def test_a_spot_is_taken_off_the_map_with_a_reason_and_put_back(world: World, driver: Driver, later_spot: Spot) -> None:
    command(world, later_spot.blocker_id, "OUT_OF_SERVICE")
    again, failed = world.invoke("ProvisionSpot", city.load().wishes[0] | {"spot_id": later_spot.spot_id})
    assert not failed, again
    body = {"spot_id": later_spot.spot_id, "starts_at": "2027-01-04T09:00:00Z", "ends_at": "2027-01-04T11:00:00Z"}
    assert expect(409, driver.post("/reservations", body))["code"] == "spot_unavailable"
    command(world, later_spot.blocker_id, "IN_SERVICE")
    assert shown(driver, later_spot.spot_id)["service_state"] == "IN_SERVICE"
    assert [entry["change"] for entry in report(world, later_spot)["audit"]] == [
        "service state OUT_OF_SERVICE → IN_SERVICE",
        "service state IN_SERVICE → OUT_OF_SERVICE",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("action", "MOVE"),
        ("operator", ""),
        ("operator", None),
        ("reason", "x"),
        ("reason", None),
        ("blocker_id", "a b"),
        ("at", "2026-01-31T09:30:00Z"),
    ],
)
def test_a_bad_command_names_its_field(world: World, field: str, value: Any) -> None:
    wish = {"blocker_id": "blocker-none", "action": "LOWER", "operator": "Mari", "reason": "of the test"}
    answer, failed = world.invoke("BlockerCommand", wish | {field: value})
    assert failed
    assert field in answer["errorMessage"], answer


def test_a_command_to_an_unknown_blocker_is_refused(world: World) -> None:
    wish = {"blocker_id": "blocker-none", "action": "LOWER", "operator": "Mari", "reason": "of the test"}
    answer, failed = world.invoke("BlockerCommand", wish)
    assert failed
    assert answer["errorMessage"] == "There is no such blocker."


@pytest.mark.parametrize("schedule", ["ExpireHolds", "CheckExpiring", "AutoComplete", "PrepareUpcoming"])
@pytest.mark.parametrize("event", [{}, {"time": "soon"}, {"time": "2026-01-31T09:30:00"}, {"time": None}])
def test_a_schedule_without_a_time_does_nothing_and_says_so(world: World, schedule: str, event: Json) -> None:
    answer, failed = world.invoke(schedule, event)
    assert failed
    assert "time" in answer["errorMessage"], answer
