"""The simulator's faults and its judge: what breaks, for how long, and what counts as wrong."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from parking_blocker.connection import Endpoint, Identity
from parking_blocker.contract import Desired, Occupancy, Outcome, Position, Reason, Result, Shadow
from parking_blocker.control import Control, ControlError
from parking_blocker.faults import FAULTS, Chance, Scripted, play
from parking_blocker.judge import Judge, verdict
from parking_blocker.machine import Limits, Memory
from parking_blocker.simulated import SimulatedBlocker, SlowLine
from tests.unit.virtual_time import run

TRAVEL_SECONDS = 4.0


def make(*names: str) -> dict[str, SimulatedBlocker]:
    """Blockers that were never connected."""
    endpoint = Endpoint("localhost", 8883, Path("ca.pem"))
    identities = [Identity(name, Path("b.crt"), Path("b.key")) for name in names]
    return {each.blocker_id: SimulatedBlocker(each, endpoint, TRAVEL_SECONDS, Limits()) for each in identities}


def command(simulated: SimulatedBlocker, position: Position, command_id: str) -> None:
    now = datetime.now(UTC)
    desired = Desired(position, command_id, None, now + timedelta(minutes=10))
    simulated.blocker.on_shadow(Shadow(1, now, desired, None, None))


async def put(control: Control, path: str, **body: object) -> Mapping[str, Any]:
    return await control.put(path.split("/"), json.dumps(body).encode())


async def verdict_of(control: Control) -> Any:
    return await control.get(["verdict"])


def test_a_day_without_faults_has_no_violation_and_every_command_an_end() -> None:
    async def story() -> None:
        blockers = make("b-1", "b-2")
        control = Control(blockers)
        for name, simulated in blockers.items():
            command(simulated, Position.RAISED, f"{name}-up")
            await asyncio.sleep(TRAVEL_SECONDS)
            command(simulated, Position.LOWERED, f"{name}-down")
        assert (await verdict_of(control))["open_commands"] == ["b-2-down"]
        await asyncio.sleep(TRAVEL_SECONDS)
        assert await verdict_of(control) == {
            "violations": [],
            "blind_raises": 0,
            "raises": 2,
            "lowers": 2,
            "commands": 4,
            "results": {"DONE": 4},
            "open_commands": [],
            "faults": {},
        }

    run(story)


def test_a_command_that_a_newer_has_overtaken_is_not_open() -> None:
    async def story() -> None:
        blockers = make("b-1")
        control = Control(blockers)
        command(blockers["b-1"], Position.RAISED, "c-1")
        await asyncio.sleep(1)
        command(blockers["b-1"], Position.LOWERED, "c-2")
        seen = await verdict_of(control)
        assert (seen["results"], seen["open_commands"]) == ({"OVERTAKEN": 1, "OPEN": 1}, ["c-2"])
        await asyncio.sleep(TRAVEL_SECONDS)
        seen = await verdict_of(control)
        assert (seen["results"], seen["open_commands"]) == ({"OVERTAKEN": 1, "DONE": 1}, [])

    run(story)


def test_a_car_under_a_rising_barrier_is_no_violation_because_the_blocker_turns_round() -> None:
    async def story() -> None:
        blockers = make("b-1")
        control = Control(blockers)
        command(blockers["b-1"], Position.RAISED, "c-1")
        await asyncio.sleep(1)
        await put(control, "blockers/b-1/car", present=True)
        await asyncio.sleep(TRAVEL_SECONDS)
        seen = await verdict_of(control)
        assert (seen["violations"], seen["results"], seen["lowers"]) == ([], {"OBSTRUCTED": 1}, 1)
        assert blockers["b-1"].barrier.read().position is Position.LOWERED

    run(story)


def test_the_judge_sees_a_raise_under_a_car_whatever_the_blocker_believes() -> None:
    async def story() -> None:
        blockers = make("b-1")
        blockers["b-1"].barrier.set_car(True)
        blockers["b-1"].barrier.start_raising()
        whats = [violation["what"] for violation in blockers["b-1"].judge.violations]
        assert whats == ["a raise was started under a car", "a raise without a command"]
        blockers["b-1"].stop()

    run(story)


def test_a_blocker_that_goes_on_rising_under_a_car_is_a_violation() -> None:
    async def story() -> None:
        blockers = make("b-1")
        barrier = blockers["b-1"].barrier
        command(blockers["b-1"], Position.RAISED, "c-1")
        barrier.watch(lambda: None, lambda: None)
        await asyncio.sleep(1)
        barrier.set_car(True)
        (violation,) = blockers["b-1"].judge.violations
        assert (violation["what"], violation["command_id"]) == ("a raise went on under a car", "c-1")
        blockers["b-1"].stop()

    run(story)


def test_a_sensor_that_is_stuck_makes_a_blind_raise_which_the_obstacle_ends() -> None:
    async def story() -> None:
        blockers = make("b-1")
        control = Control(blockers)
        await put(control, "blockers/b-1/sensor", stuck=True)
        await put(control, "blockers/b-1/car", present=True)
        command(blockers["b-1"], Position.RAISED, "c-1")
        await asyncio.sleep(3 * TRAVEL_SECONDS)
        seen = await verdict_of(control)
        assert (seen["violations"], seen["blind_raises"], seen["results"]) == ([], 1, {"OBSTRUCTED": 1})
        assert blockers["b-1"].barrier.read().position is Position.LOWERED

    run(story)


def test_a_command_that_raises_or_ends_twice_is_a_violation() -> None:
    judge = Judge("b-1")
    for outcome in (Outcome("c-1"), Outcome("c-1", Result.DONE), Outcome("c-1", Result.REJECTED, Reason.OCCUPIED)):
        judge.see_memory(Memory(Position.RAISED, outcome, ("c-1",), None))
        judge.see_raise(car=False, sensor_sees=False)
    whats = [violation["what"] for violation in judge.violations]
    assert whats == ["a command has raised twice", "a command has ended twice", "a command has raised twice"]
    assert verdict([judge])["commands"] == 1


def test_a_reboot_in_motion_stops_the_motor_and_the_blocker_says_what_became_of_its_command() -> None:
    async def story() -> None:
        blockers = make("b-1")
        control = Control(blockers)
        command(blockers["b-1"], Position.RAISED, "c-1")
        await asyncio.sleep(1)
        await put(control, "blockers/b-1/reboot", off_seconds=2)
        assert not blockers["b-1"].barrier.rising
        blockers["b-1"].look()
        await asyncio.sleep(60)
        document = await control.get(["blockers", "b-1"])
        assert (document["position"], document["result"], document["reason"]) == ("UNKNOWN", "REJECTED", "OBSTRUCTED")
        assert [entry["detail"] for entry in document["journal"] if entry["what"] == "power_cut"] == ["c-1 REJECTED"]  # type: ignore[attr-defined] # a JSON document
        command(blockers["b-1"], Position.LOWERED, "c-2")
        await asyncio.sleep(1.5)
        seen = await verdict_of(control)
        assert (seen["violations"], seen["results"]) == ([], {"OBSTRUCTED": 1, "DONE": 1})

    run(story)


@pytest.mark.parametrize(("position", "ends_at"), [(Position.RAISED, "LOWERED"), (Position.LOWERED, "RAISED")])
def test_a_jam_is_felt_and_ends_the_command(position: Position, ends_at: str) -> None:
    async def story() -> None:
        blockers = make("b-1")
        control = Control(blockers)
        if position is Position.LOWERED:
            command(blockers["b-1"], Position.RAISED, "c-0")
            await asyncio.sleep(TRAVEL_SECONDS)
        await put(control, "blockers/b-1/jam", jammed=True)
        command(blockers["b-1"], position, "c-1")
        await asyncio.sleep(TRAVEL_SECONDS)
        document = await control.get(["blockers", "b-1"])
        assert (document["position"], document["reason"]) == (ends_at, "OBSTRUCTED")

    run(story)


@pytest.mark.parametrize(
    ("fault", "body", "reason"),
    [
        ("sensor_fault", {"broken": True}, "SENSOR_FAULT"),
        ("override", {"by_hand": True}, "MANUAL_OVERRIDE"),
        ("battery", {"percent": 3}, "LOW_BATTERY"),
        ("car", {"present": True}, "OCCUPIED"),
    ],
)
def test_a_fault_makes_the_blocker_refuse_with_its_reason(fault: str, body: dict[str, object], reason: str) -> None:
    async def story() -> None:
        blockers = make("b-1")
        control = Control(blockers)
        await put(control, f"blockers/b-1/{fault}", **body)
        command(blockers["b-1"], Position.RAISED, "c-1")
        assert (await control.get(["blockers", "b-1"]))["reason"] == reason

    run(story)


def test_a_slow_line_delays_and_doubles_and_keeps_the_order() -> None:
    async def story() -> None:
        line, arrived = SlowLine(), list[str]()
        line.late_seconds, line.doubled = 3.0, True
        line.carry(lambda: arrived.append("first"))
        line.late_seconds, line.doubled = 0.0, False
        line.carry(lambda: arrived.append("second"))
        assert arrived == []
        await asyncio.sleep(3)
        assert arrived == ["first", "first", "second"]
        line.carry(lambda: arrived.append("third"))
        assert arrived[-1] == "third"

    run(story)


def test_a_script_lets_each_fault_happen_at_its_time() -> None:
    async def story() -> None:
        blockers = make("b-1")
        lines = (Scripted(20, "b-1", "car", False), Scripted(10, "b-1", "car", True))
        playing = asyncio.create_task(play(lines, blockers))
        seen: list[Occupancy] = []
        for _ in range(3):
            await asyncio.sleep(9)
            seen.append(blockers["b-1"].barrier.read().occupancy)
        await playing
        assert seen == [Occupancy.VACANT, Occupancy.OCCUPIED, Occupancy.VACANT]

    run(story)


def faults_of(seed: int) -> dict[str, int]:
    """How often each fault strikes ten blockers in ten minutes; at the end all is mended."""
    counted: dict[str, int] = {}

    async def story() -> None:
        blockers = make(*(f"b-{number}" for number in range(10)))
        rates = dict.fromkeys(FAULTS, 0.2)
        chance = asyncio.create_task(Chance(seed, rates).run(blockers))
        await asyncio.sleep(600)
        chance.cancel()
        await asyncio.wait([chance])
        for simulated in blockers.values():
            readings = simulated.barrier.read()
            assert (readings.sensor_fault, readings.manual_override, readings.battery_percent) == (False, False, 100)
            assert not simulated.barrier.car
            simulated.stop()
            for name, count in simulated.judge.faults.items():
                counted[name] = counted.get(name, 0) + count

    run(story)
    return counted


def test_chance_makes_every_fault_about_as_often_as_asked_and_the_same_by_the_same_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SimulatedBlocker, "connect", lambda _: None)
    counted = faults_of(1)
    assert counted == faults_of(1) != faults_of(2)
    assert counted.keys() == FAULTS.keys()
    for name, fault in FAULTS.items():
        expected = 20 if fault.mended is None else 40
        assert expected / 2 <= counted[name] <= expected * 2


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("blockers/b-1/battery", {"percent": True}),
        ("blockers/b-1/battery", {"percent": 1.5}),
        ("blockers/b-1/car", {"present": 1}),
        ("blockers/b-1/late", {"seconds": "2"}),
        ("blockers/b-1/jam", {}),
        ("script", {}),
        ("script", {"lines": [1]}),
        ("script", {"lines": [{"at_seconds": -1, "blocker_id": "b-1", "fault": "car", "value": True}]}),
        ("script", {"lines": [{"at_seconds": 1, "blocker_id": "b-1", "fault": "fire", "value": True}]}),
        ("script", {"lines": [{"at_seconds": 1, "blocker_id": "b-1", "fault": "car", "value": 2}]}),
        ("chance", {"per_minute": {}}),
        ("chance", {"seed": 1, "per_minute": {"fire": 1}}),
        ("chance", {"seed": 1, "per_minute": {"car": "often"}}),
    ],
)
def test_a_fault_that_is_none_is_refused(path: str, body: dict[str, object]) -> None:
    async def story() -> None:
        with pytest.raises(ControlError) as refusal:
            await put(Control(make("b-1")), path, **body)
        assert refusal.value.status is HTTPStatus.BAD_REQUEST

    run(story)


def test_a_script_and_chance_come_over_the_control_and_the_next_replaces_the_last() -> None:
    async def story() -> None:
        blockers = make("b-1")
        control = Control(blockers)
        line = {"at_seconds": 5, "blocker_id": "b-1", "fault": "tamper", "value": True}
        assert await put(control, "script", lines=[line]) == {"lines": 1}
        await put(control, "chance", seed=1, per_minute={"car": 60})
        await asyncio.sleep(30)
        assert blockers["b-1"].barrier.read().tamper
        await put(control, "chance", seed=1, per_minute={})
        assert not blockers["b-1"].barrier.car
        struck = blockers["b-1"].judge.faults["car"]
        await asyncio.sleep(600)
        assert blockers["b-1"].judge.faults["car"] == struck > 10

    run(story)
