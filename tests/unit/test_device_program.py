"""The program as systemd sees it: ready, alive, ended; and a clock, a loop or hardware that cannot be relied on."""

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from parking_blocker import program
from parking_blocker.blocker import Blocker, Stuck
from parking_blocker.clock import TOLERANCE_SECONDS, ServiceClock
from parking_blocker.connection import Endpoint, Identity
from parking_blocker.contract import Desired, Outcome, Position, Reason, Result, Shadow
from parking_blocker.machine import Limits, Readings
from parking_blocker.memory_file import MemoryFile
from parking_blocker.program import Failed, run_until_told_to_end
from parking_blocker.simulated_actuator import SimulatedActuator
from tests.unit.virtual_time import run

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class Hands:
    """A wall clock and a monotonic clock that only the test moves."""

    def __init__(self, wall: datetime = NOON) -> None:
        self.wall = wall
        self.monotonic = 1_000.0

    def clock(self) -> ServiceClock:
        return ServiceClock(lambda: self.wall, lambda: self.monotonic)


# -- the clock


@pytest.mark.parametrize("jump", [timedelta(hours=-9), timedelta(hours=9)])
def test_somebody_who_sets_the_wall_clock_changes_nothing(jump: timedelta) -> None:
    hands = Hands()
    clock = hands.clock()
    hands.wall += jump
    hands.monotonic += 60
    assert clock.now() == NOON + timedelta(seconds=60)


@pytest.mark.parametrize("wrong_by", [timedelta(days=-20_000), timedelta(hours=-1), timedelta(hours=1)])
def test_a_clock_that_booted_wrong_is_put_right_by_the_first_shadow(wrong_by: timedelta) -> None:
    hands = Hands(NOON + wrong_by)
    clock = hands.clock()
    assert clock.correct(NOON) == -wrong_by
    hands.monotonic += 10
    assert clock.now() == NOON + timedelta(seconds=10)
    assert clock.correct(NOON + timedelta(seconds=10 + TOLERANCE_SECONDS)) == timedelta(0)


# -- a blocker on a wrong clock


def make_blocker(
    folder: Path, barrier: SimulatedActuator, clock: ServiceClock, limits: Limits | None = None
) -> Blocker:
    identity = Identity("blocker-1", folder / "b.crt", folder / "b.key")
    memory = MemoryFile(folder / "last_command.json", "blocker-1")
    return Blocker(identity, Endpoint("localhost", 8883, folder / "ca.pem"), barrier, limits or Limits(), memory, clock)


@pytest.mark.parametrize("wrong_by", [timedelta(days=-3), timedelta(days=3)])
@pytest.mark.parametrize(
    ("expires_after", "outcome"),
    [
        (timedelta(minutes=1), Outcome("c-1", Result.DONE)),
        (-timedelta(seconds=1), Outcome("c-1", Result.REJECTED, Reason.EXPIRED)),
    ],
)
def test_a_wrong_clock_neither_obeys_a_stale_command_nor_refuses_a_fresh_one(
    tmp_path: Path, wrong_by: timedelta, expires_after: timedelta, outcome: Outcome
) -> None:
    async def story() -> None:
        clock = ServiceClock(lambda: NOON + wrong_by, asyncio.get_running_loop().time)
        blocker = make_blocker(tmp_path, SimulatedActuator(travel_seconds=4), clock)
        blocker.on_shadow(Shadow(1, NOON, Desired(Position.RAISED, "c-1", None, NOON + expires_after), None, None))
        await asyncio.sleep(5)
        assert blocker.machine.outcome == outcome
        blocker.stop()

    run(story)


@pytest.mark.parametrize("jump", [timedelta(hours=-2), timedelta(hours=2)])
def test_a_clock_that_is_put_right_in_mid_motion_neither_jams_nor_outlasts_the_motion(
    tmp_path: Path, jump: timedelta
) -> None:
    async def story() -> None:
        barrier = SimulatedActuator(travel_seconds=100)
        clock = ServiceClock(lambda: NOON, asyncio.get_running_loop().time)
        blocker = make_blocker(tmp_path, barrier, clock)
        far = NOON + timedelta(days=1)
        blocker.on_shadow(Shadow(1, NOON, Desired(Position.RAISED, "c-1", None, far), None, None))
        await asyncio.sleep(10)
        blocker.on_shadow(Shadow(2, NOON + jump, Desired(Position.RAISED, "c-1", None, far), None, None))
        await asyncio.sleep(19)
        assert barrier.rising
        await asyncio.sleep(2)
        assert not barrier.rising, "30 s are 30 s"
        blocker.stop()

    run(story)


# -- the program


class Systemd:
    """The receiving end of sd_notify."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        said: list[str] = []
        with suppress(BlockingIOError):
            while True:
                said.append(self._socket.recv(1024).decode())
        return said

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Systemd]:
    systemd = Systemd(tmp_path)
    monkeypatch.setenv("NOTIFY_SOCKET", systemd.address)
    monkeypatch.setattr(program, "LOOK_SECONDS", 0.01)
    yield systemd
    systemd.close()


class Machinery:
    """Stands for a blocker; `looks` counts how often the program has seen it alive."""

    def __init__(self) -> None:
        self.looks = 0
        self.stopped = False
        self.breaks_at_look = 0
        self.blocks_at_look = 0
        self.released = threading.Event()
        self.on_stop: Callable[[], object] = lambda: None

    def connect(self) -> None:
        """The network is not what is tested here."""

    def look(self) -> None:
        self.looks += 1
        if self.looks == self.breaks_at_look:
            raise OSError("the pins do not answer")
        if self.looks == self.blocks_at_look:
            self.released.wait()

    def stop(self) -> None:
        self.stopped = True
        self.on_stop()

    async def disconnect(self, *, announced: bool) -> None:
        assert announced


def test_systemd_hears_that_the_program_is_ready_alive_and_ending(systemd: Systemd) -> None:
    blocker = Machinery()

    async def story() -> None:
        running = asyncio.create_task(run_until_told_to_end([blocker]))
        while blocker.looks < 3:
            await asyncio.sleep(0.005)
        os.kill(os.getpid(), signal.SIGTERM)
        await running

    asyncio.run(asyncio.wait_for(story(), 10))
    heard = systemd.heard()
    assert (heard[0], heard[-1]) == ("READY=1", "STOPPING=1")
    assert heard.count("WATCHDOG=1") >= 2
    assert blocker.stopped


def test_the_motor_stops_before_anything_is_said(systemd: Systemd) -> None:
    blocker = Machinery()
    heard: list[str] = []
    blocker.on_stop = lambda: heard.extend(systemd.heard())

    async def story() -> None:
        await run_until_told_to_end([blocker], on_started=lambda: os.kill(os.getpid(), signal.SIGTERM))

    asyncio.run(asyncio.wait_for(story(), 10))
    assert "READY=1" in heard
    assert "STOPPING=1" not in heard
    assert systemd.heard() == ["STOPPING=1"]


def test_nobody_feeds_the_watchdog_while_the_hardware_holds_the_loop(systemd: Systemd) -> None:
    blocker = Machinery()
    blocker.blocks_at_look = 2

    def in_a_thread() -> None:
        deadline = time.monotonic() + 10
        while blocker.looks < 2 and time.monotonic() < deadline:
            time.sleep(0.005)
        systemd.heard()
        time.sleep(0.1)  # ten times the interval: what is not said in this time is what the test is about
        silence.append(systemd.heard())
        blocker.released.set()
        os.kill(os.getpid(), signal.SIGTERM)

    silence: list[list[str]] = []
    thread = threading.Thread(target=in_a_thread)

    async def story() -> None:
        await run_until_told_to_end([blocker], on_started=thread.start)

    asyncio.run(asyncio.wait_for(story(), 10))
    thread.join()
    assert silence == [[]]


@pytest.mark.parametrize("where", ["look", "callback"])
def test_hardware_that_fails_ends_the_program_with_its_motor_stopped(systemd: Systemd, where: str) -> None:
    blocker = Machinery()
    blocker.breaks_at_look = 2 if where == "look" else 0

    def break_later() -> None:
        def fail() -> None:
            raise OSError("the pins do not answer")

        if where == "callback":
            asyncio.get_running_loop().call_soon(fail)

    async def story() -> None:
        await run_until_told_to_end([blocker], on_started=break_later)

    with pytest.raises(Failed, match="the pins do not answer"):
        asyncio.run(asyncio.wait_for(story(), 10))
    assert blocker.stopped


def test_a_blocker_whose_ticks_do_not_come_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        hands = Hands()
        blocker = make_blocker(tmp_path, SimulatedActuator(travel_seconds=4), hands.clock(), Limits(warning_seconds=3))
        blocker.on_shadow(Shadow(1, NOON, Desired(Position.RAISED, "c-1", None, NOON + timedelta(hours=1)), None, None))
        hands.monotonic += 7
        blocker.look()
        hands.monotonic += 2
        with pytest.raises(Stuck):
            blocker.look()
        blocker.stop()

    run(story)


def test_a_look_sees_what_no_edge_has_told_of(tmp_path: Path) -> None:
    class Silent(SimulatedActuator):
        """Its edges are lost."""

        def read(self) -> Readings:
            return Readings(Position.RAISED, super().read().occupancy)

    async def story() -> None:
        barrier = SimulatedActuator(travel_seconds=4)
        blocker = make_blocker(tmp_path, barrier, Hands().clock())
        barrier.read = Silent(travel_seconds=4).read  # type: ignore[method-assign] # the switch moves, and says nothing
        blocker.look()
        assert blocker.machine.position is Position.RAISED
        blocker.stop()

    run(story)
