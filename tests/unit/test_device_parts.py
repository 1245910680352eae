"""The device's small parts: clock, simulated barrier, configuration, the simulator's control."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import pytest

from parking_blocker.clock import ServiceClock
from parking_blocker.config import (
    HEARTBEAT_SECONDS_DEFAULT,
    VACANT_SECONDS_DEFAULT,
    WARNING_SECONDS_DEFAULT,
    ConfigError,
    load_device,
    load_simulator,
)
from parking_blocker.connection import Endpoint, Identity
from parking_blocker.contract import Occupancy, Position
from parking_blocker.control import Control, ControlError
from parking_blocker.machine import Limits
from parking_blocker.simulated import SimulatedBlocker
from parking_blocker.simulated_actuator import SimulatedActuator

TRAVEL_SECONDS = 0.05
CONDITION_SECONDS_MAX = 5.0


@pytest.mark.parametrize("hours", [-24, 24])
def test_a_clock_that_is_hours_off_takes_over_the_time_of_the_service(hours: int) -> None:
    clock = ServiceClock()
    service_time = datetime.now(UTC) + timedelta(hours=hours)
    clock.correct(service_time)
    assert abs(clock.now() - service_time) < timedelta(seconds=1)


def test_a_clock_is_not_pulled_about_by_the_whole_seconds_of_the_service() -> None:
    clock = ServiceClock()
    clock.correct(clock.now() - timedelta(seconds=1))
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=0.5)


def run(story: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(story(), CONDITION_SECONDS_MAX)

    asyncio.run(bounded())


class Watch:
    """Waits for what an actuator announces."""

    def __init__(self, actuator: SimulatedActuator) -> None:
        self.seen: list[Position] = []
        self._actuator = actuator
        self._changed = asyncio.Event()
        actuator.watch(self._on_change, lambda: None)

    def _on_change(self) -> None:
        self.seen.append(self._actuator.read().position)
        self._changed.set()

    async def arrival(self) -> Position:
        """The next end switch that is announced."""
        self.seen.clear()
        while not self.seen or self.seen[-1] is Position.UNKNOWN:
            self._changed.clear()
            await self._changed.wait()
        return self.seen[-1]


def test_the_simulated_barrier_is_between_its_switches_until_it_arrives() -> None:
    async def story() -> None:
        actuator = SimulatedActuator(TRAVEL_SECONDS)
        watch = Watch(actuator)
        actuator.start_raising()
        assert actuator.read().position is Position.UNKNOWN
        assert await watch.arrival() is Position.RAISED
        actuator.start_lowering()
        assert await watch.arrival() is Position.LOWERED
        assert watch.seen == [Position.UNKNOWN, Position.LOWERED]

    run(story)


def test_a_stopped_barrier_stays_between_its_switches_and_can_go_on() -> None:
    async def story() -> None:
        actuator = SimulatedActuator(TRAVEL_SECONDS)
        watch = Watch(actuator)
        actuator.start_raising()
        actuator.stop()
        assert actuator.read().position is Position.UNKNOWN
        actuator.start_lowering()
        assert await watch.arrival() is Position.LOWERED
        assert Position.RAISED not in watch.seen

    run(story)


def write_config(folder: Path, text: str) -> Path:
    for name in ("ca.pem", "b.crt", "b.key"):
        (folder / name).touch()
    path = folder / "config.toml"
    path.write_text(text)
    return path


DEVICE_TOML = """
endpoint = "localhost"
port = 8883
ca = "ca.pem"
blocker_id = "blocker-1"
certificate = "b.crt"
key = "b.key"
memory = "last_command.json"
driver = "simulated"
"""
SIMULATOR_TOML = """
endpoint = "localhost"
port = 8883
ca = "ca.pem"
control_port = 9000
travel_seconds = 2
heartbeat_seconds = 60

[[blockers]]
blocker_id = "blocker-1"
certificate = "b.crt"
key = "b.key"
"""


def test_a_device_file_is_read_with_paths_relative_to_it(tmp_path: Path) -> None:
    config = load_device(write_config(tmp_path, DEVICE_TOML))
    assert config.endpoint == Endpoint("localhost", 8883, tmp_path / "ca.pem")
    assert config.identity == Identity("blocker-1", tmp_path / "b.crt", tmp_path / "b.key")
    assert config.memory == tmp_path / "last_command.json"
    assert config.limits == Limits(
        HEARTBEAT_SECONDS_DEFAULT,
        vacant_seconds=VACANT_SECONDS_DEFAULT,
        warning_seconds=WARNING_SECONDS_DEFAULT,
    )


def test_a_simulator_file_lists_its_blockers(tmp_path: Path) -> None:
    config = load_simulator(write_config(tmp_path, SIMULATOR_TOML))
    assert [identity.blocker_id for identity in config.identities] == ["blocker-1"]
    assert (config.control_port, config.travel_seconds, config.limits) == (9000, 2.0, Limits(heartbeat_seconds=60))


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("port = 8883", "port = 70000", "port"),
        ("port = 8883", 'port = "8883"', "port"),
        ('endpoint = "localhost"', "", "endpoint"),
        ('ca = "ca.pem"', 'ca = "elsewhere.pem"', "ca"),
        ('key = "b.key"', 'key = ""', "key"),
        ('blocker_id = "blocker-1"', "blocker_id = 1", "blocker_id"),
        ('key = "b.key"', 'key = "b.key"\nheartbeat_seconds = 0', "heartbeat_seconds"),
        ("port = 8883", "port =", "config.toml"),
    ],
)
def test_a_file_that_cannot_be_used_names_its_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    path = write_config(tmp_path, DEVICE_TOML.replace(old, new))
    with pytest.raises(ConfigError, match=key):
        load_device(path)


def test_a_simulator_without_blockers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="blockers"):
        load_simulator(write_config(tmp_path, SIMULATOR_TOML.partition("[[blockers]]")[0]))


def offline_control() -> Control:
    """One blocker that was never connected."""
    identity = Identity("blocker-1", Path("b.crt"), Path("b.key"))
    endpoint = Endpoint("localhost", 8883, Path("ca.pem"))
    return Control({"blocker-1": SimulatedBlocker(identity, endpoint, TRAVEL_SECONDS, Limits())})


def test_the_control_drives_a_car_onto_a_spot_and_away() -> None:
    async def story() -> None:
        control = offline_control()
        for present, occupancy in ((True, Occupancy.OCCUPIED), (False, Occupancy.VACANT)):
            seen = await control.put(["blockers", "blocker-1", "car"], json.dumps({"present": present}).encode())
            assert seen["occupancy"] == occupancy
        assert await control.get(["health"]) == {"blockers": 1, "connected": 0}

    run(story)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (["blockers", "blocker-2", "car"], b'{"present": true}', HTTPStatus.NOT_FOUND),
        (["blockers", "blocker-1", "colour"], b"{}", HTTPStatus.NOT_FOUND),
        (["blockers", "blocker-1", "car"], b"{", HTTPStatus.BAD_REQUEST),
        (["blockers", "blocker-1", "car"], b"[]", HTTPStatus.BAD_REQUEST),
        (["blockers", "blocker-1", "car"], b'{"present": 1}', HTTPStatus.BAD_REQUEST),
        (["blockers", "blocker-1", "network"], b"{}", HTTPStatus.BAD_REQUEST),
    ],
)
def test_the_control_refuses_what_it_does_not_know(path: list[str], body: bytes, status: HTTPStatus) -> None:
    async def story() -> None:
        with pytest.raises(ControlError) as refusal:
            await offline_control().put(path, body)
        assert refusal.value.status is status

    run(story)
