"""The blockers' shadows, in memory and in MiniStack's IoT Core, and the things that own them."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parking.adapters.iot import IotShadows, IotThings
from parking.adapters.memory.iot import MemoryShadows, MemoryThings
from parking.adapters.shadow_documents import desired_of, document_from, report_from
from parking.domain.blocker import Occupancy, Position, RejectReason, Result
from parking.domain.ids import BlockerId, CommandId
from parking.services.ports import ShadowConflict, Shadows, ShadowUnavailable, Things
from parking_blocker import contract
from tests.builders import NOW, a_command
from tests.contract.emulators import Aws

REPORTED = {
    "position": "LOWERED",
    "occupancy": "VACANT",
    "command_id": "cmd_1",
    "result": "REJECTED",
    "reason": "LOW_BATTERY",
    "battery_percent": 7,
    "tamper": True,
    "manual_override": False,
    "firmware": "1.2.3",
    "at": "2026-12-01T09:00:00.250Z",
}


@dataclass
class Bench:
    """The port, and a device on the other side of it."""

    shadows: Shadows
    report: Callable[[BlockerId, dict[str, Any]], object]


@pytest.fixture(params=["memory", "iot"])
def bench(request: pytest.FixtureRequest) -> Bench:
    if request.param == "memory":
        memory = MemoryShadows()
        return Bench(memory, lambda blocker_id, reported: memory.report(blocker_id, reported, datetime.now(UTC)))
    request.getfixturevalue("aws")
    client = boto3.client("iot-data")

    def report(blocker_id: BlockerId, reported: dict[str, Any]) -> None:
        payload = json.dumps({"state": {"reported": reported}}).encode()
        client.update_thing_shadow(thingName=blocker_id, shadowName="barrier", payload=payload)

    return Bench(IotShadows(), report)


@pytest.fixture
def blocker_id() -> BlockerId:
    return BlockerId(f"blocker-{uuid4().hex[:12]}")


def test_a_device_that_never_spoke_has_no_shadow(bench: Bench, blocker_id: BlockerId) -> None:
    assert bench.shadows.get(blocker_id) is None


def test_a_shadow_shows_the_last_report(bench: Bench, blocker_id: BlockerId) -> None:
    bench.report(blocker_id, REPORTED)
    document = bench.shadows.get(blocker_id)
    assert document
    report = document.report
    assert report
    assert (report.position, report.occupancy) == (Position.LOWERED, Occupancy.VACANT)
    assert (report.command_id, report.result, report.reason) == ("cmd_1", Result.REJECTED, RejectReason.LOW_BATTERY)
    assert (report.battery_percent, report.tamper, report.manual_override) == (7, True, False)
    assert (report.firmware, report.at) == ("1.2.3", NOW + timedelta(milliseconds=250))
    assert timedelta(0) <= datetime.now(UTC) - report.received_at < timedelta(minutes=1)
    assert document.desired_command_id is None


def test_a_command_before_any_report_makes_the_shadow(bench: Bench, blocker_id: BlockerId) -> None:
    command = a_command()
    bench.shadows.desire(blocker_id, command, 0)
    document = bench.shadows.get(blocker_id)
    assert document
    assert document.report is None
    assert document.desired_command_id == command.command_id


def test_each_write_makes_the_next_version(bench: Bench, blocker_id: BlockerId) -> None:
    bench.report(blocker_id, REPORTED)
    first = bench.shadows.get(blocker_id)
    assert first
    command = a_command(reservation_id=None)
    bench.shadows.desire(blocker_id, command, first.version)
    second = bench.shadows.get(blocker_id)
    assert second
    assert second.version == first.version + 1
    assert second.desired_command_id == command.command_id
    assert second.report == first.report


def test_a_command_for_a_version_that_has_passed_is_a_conflict(bench: Bench, blocker_id: BlockerId) -> None:
    bench.report(blocker_id, REPORTED)
    document = bench.shadows.get(blocker_id)
    assert document
    bench.report(blocker_id, REPORTED | {"position": "MOVING"})
    with pytest.raises(ShadowConflict):
        bench.shadows.desire(blocker_id, a_command(), document.version)
    latest = bench.shadows.get(blocker_id)
    assert latest
    assert latest.desired_command_id is None
    newest = a_command()
    bench.shadows.desire(blocker_id, newest, 0)
    assert bench.shadows.get(blocker_id) != latest


def test_an_iot_core_that_does_not_answer_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in Aws("http://127.0.0.1:1", "").variables.items():
        monkeypatch.setenv(name, value)
    shadows = IotShadows()
    with pytest.raises(ShadowUnavailable):
        shadows.get(BlockerId("blocker"))
    with pytest.raises(ShadowUnavailable):
        shadows.desire(BlockerId("blocker"), a_command(), 0)


def test_desired_follows_the_contract() -> None:
    command = a_command(command_id=CommandId("cmd_1"), reservation_id=None, expires_at=NOW.replace(microsecond=999_999))
    assert desired_of(command) == {
        "position": "RAISED",
        "command_id": "cmd_1",
        "reservation_id": None,
        "expires_at": "2026-12-01T09:00:00Z",
    }


@pytest.mark.parametrize("reservation_id", ["rsv_1", None])
def test_the_device_reads_what_the_service_desires(reservation_id: str | None) -> None:
    command = a_command(reservation_id=reservation_id, expires_at=NOW)
    for document in (desired_of(command), {name: value for name, value in desired_of(command).items() if value}):
        read = contract.parse_desired(document)
        assert (read.position.value, read.command_id, read.reservation_id, read.expires_at) == (
            command.position.value,
            command.command_id,
            reservation_id,
            NOW,
        )


@pytest.mark.parametrize("position", contract.Position)
@pytest.mark.parametrize("reason", [None, *contract.Reason])
def test_the_service_reads_what_the_device_reports(position: contract.Position, reason: contract.Reason | None) -> None:
    reported = contract.Reported(
        position=position,
        occupancy=contract.Occupancy.OCCUPIED,
        command_id="cmd_1",
        result=contract.Result.REJECTED if reason else contract.Result.DONE,
        reason=reason,
        battery_percent=100,
        tamper=False,
        manual_override=True,
        firmware="1.0.0",
        at=NOW,
    )
    report = report_from(json.loads(json.dumps(reported.document())), NOW)
    assert (report.position, report.occupancy, report.command_id) == (position.value, Occupancy.OCCUPIED, "cmd_1")
    assert (report.result, report.reason) == (reported.result, reason)
    assert (report.battery_percent, report.tamper, report.manual_override) == (100, False, True)
    assert (report.firmware, report.at) == ("1.0.0", NOW)


def test_a_report_came_in_at_its_newest_timestamp() -> None:
    metadata = {name: {"timestamp": 1_790_000_000} for name in REPORTED} | {"position": {"timestamp": 1_790_000_007}}
    desired = {"command_id": {"timestamp": 1_799_999_999}}
    document = document_from(
        {"version": 4, "state": {"reported": REPORTED}, "metadata": {"reported": metadata, "desired": desired}}
    )
    assert document.version == 4
    assert document.report
    assert document.report.received_at == datetime.fromtimestamp(1_790_000_007, UTC)


def test_a_device_that_says_nothing_right_is_unknown_and_no_error() -> None:
    wrong: dict[str, Any] = {name: ["?"] for name in REPORTED}
    for reported in (wrong, {}, dict.fromkeys(REPORTED), dict.fromkeys(REPORTED, "?"), dict.fromkeys(REPORTED, 1e99)):
        report = report_from(reported, NOW)
        assert (report.position, report.occupancy) == (Position.UNKNOWN, Occupancy.UNKNOWN)
        assert (report.result, report.reason, report.battery_percent, report.at) == (None, None, None, None)
        assert (report.tamper, report.manual_override) == (False, False)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(sorted(REPORTED)), _json | st.sampled_from(["RAISED", "0001-01-01T00:00+23:59"]))
)
@settings(deadline=None)  # the machine may be busy
def test_no_report_breaks_the_reader(reported: dict[str, Any]) -> None:
    assert report_from(reported, NOW).received_at == NOW


@pytest.fixture(params=["memory", "iot"])
def things(request: pytest.FixtureRequest) -> Iterator[Things]:
    if request.param == "memory":
        yield MemoryThings()
        return
    request.getfixturevalue("aws")
    policy = f"blockers-{uuid4().hex[:8]}"
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"}]}
    boto3.client("iot").create_policy(policyName=policy, policyDocument=json.dumps(document))
    yield IotThings(policy)


def test_a_new_certificate_replaces_the_earlier_ones(things: Things, blocker_id: BlockerId) -> None:
    first, second = things.register(blocker_id), things.register(blocker_id)
    other = things.register(BlockerId(f"{blocker_id}-b"))
    assert len({first.certificate_id, second.certificate_id, other.certificate_id}) == 3
    if isinstance(things, MemoryThings):
        assert things.active == {blocker_id: [second.certificate_id], f"{blocker_id}-b": [other.certificate_id]}
        return
    client = boto3.client("iot")

    def status(certificate_id: str) -> str:
        return client.describe_certificate(certificateId=certificate_id)["certificateDescription"]["status"]

    assert [status(made.certificate_id) for made in (first, second, other)] == ["INACTIVE", "ACTIVE", "ACTIVE"]
    [principal] = client.list_thing_principals(thingName=blocker_id)["principals"]
    assert principal.endswith(second.certificate_id)
    assert "PRIVATE KEY" in second.private_key
    assert "BEGIN CERTIFICATE" in second.certificate_pem
    [policy] = client.list_attached_policies(target=principal)["policies"]
    assert policy["policyName"].startswith("blockers-")


def active(things: Things, blocker_id: BlockerId) -> set[str]:
    """The certificates with which the thing may connect."""
    if isinstance(things, MemoryThings):
        return set(things.active.get(blocker_id, []))
    client = boto3.client("iot")
    attached = [one.rpartition("/")[2] for one in client.list_thing_principals(thingName=blocker_id)["principals"]]
    described = [client.describe_certificate(certificateId=one)["certificateDescription"] for one in attached]
    return {one["certificateId"] for one in described if one["status"] == "ACTIVE"}


def test_a_certificate_may_stand_beside_another_until_only_one_is_kept(things: Things, blocker_id: BlockerId) -> None:
    old, new = things.issue(blocker_id).certificate_id, things.issue(blocker_id).certificate_id
    assert active(things, blocker_id) == {old, new}
    for _ in range(2):
        things.keep_only(blocker_id, new)
        assert active(things, blocker_id) == {new}


def test_a_thing_that_is_cut_off_has_no_certificate(things: Things, blocker_id: BlockerId) -> None:
    other = BlockerId(f"{blocker_id}-b")
    kept = things.register(other).certificate_id
    things.issue(blocker_id)
    things.issue(blocker_id)
    for _ in range(2):
        things.cut_off(blocker_id)
        assert active(things, blocker_id) == set()
    assert active(things, other) == {kept}


def test_what_never_was_a_thing_can_be_cut_off(things: Things, blocker_id: BlockerId) -> None:
    things.cut_off(blocker_id)
    things.keep_only(blocker_id, "none")
