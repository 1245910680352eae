"""The last command on the disk: whole or not at all, and what a blocker makes of it after a power cut."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from parking_blocker.blocker import Blocker
from parking_blocker.clock import ServiceClock
from parking_blocker.connection import Endpoint, Identity
from parking_blocker.contract import Desired, Occupancy, Outcome, Position, Reason, Result, Shadow
from parking_blocker.controller import advance, boot
from parking_blocker.machine import Entry, Limits, Memory, Readings, Remember, Report, ShadowRead
from parking_blocker.memory_file import MemoryFile, MemoryLost
from parking_blocker.offline_code import step_at
from parking_blocker.simulated_actuator import SimulatedActuator
from tests.unit.virtual_time import run

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
MEMORIES = (
    Memory(Position.RAISED, Outcome("c-1"), ("c-1",), "r-1"),
    Memory(Position.LOWERED, Outcome("c-2", Result.DONE), ("c-1", "c-2"), None),
    Memory(None, Outcome("c-3", Result.REJECTED, Reason.OBSTRUCTED), (), "r-1"),
    Memory(Position.RAISED, Outcome("c-4", Result.DONE), ("c-4",), "r-2", Entry(NOON, 3, 14_700_000, "r-2", NOON)),
)


@pytest.fixture
def file(tmp_path: Path) -> MemoryFile:
    return MemoryFile(tmp_path / "last_command.json", "blocker-1")


@pytest.mark.parametrize("memory", MEMORIES)
def test_what_was_saved_is_loaded(file: MemoryFile, memory: Memory) -> None:
    assert file.load() is None
    file.save(MEMORIES[0])
    file.save(memory)
    assert file.load() == memory


def test_a_content_is_on_the_disk_before_it_gets_its_name_and_the_name_is_on_the_disk_before_save_returns(
    file: MemoryFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        done.append("fsync folder" if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir() else "fsync file")
        real_fsync(descriptor)

    def replace(path: Path, target: Path) -> Path:
        done.append("rename")
        return real_replace(path, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    file.save(MEMORIES[0])
    assert done == ["fsync file", "rename", "fsync folder"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_disk_that_fails_leaves_the_memory_of_before(
    file: MemoryFile, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    file.save(MEMORIES[0])

    def fail(*_: Any) -> None:
        raise OSError("the card is worn")

    owner: object = os if call == "fsync" else Path
    monkeypatch.setattr(owner, call, fail)
    with pytest.raises(OSError, match="worn"):
        file.save(MEMORIES[1])
    monkeypatch.undo()
    assert file.load() == MEMORIES[0]


def test_a_file_torn_at_any_byte_or_with_any_byte_changed_is_never_believed(file: MemoryFile) -> None:
    file.save(MEMORIES[0])
    whole = file.path.read_bytes()
    damaged = [whole[:length] for length in range(len(whole))]
    damaged += [bytes([*whole[:at], whole[at] ^ 1, *whole[at + 1 :]]) for at in range(len(whole))]
    damaged += [b"null", b"[]", b"[" * 100_000, b'{"memory": 1, "crc32": 1}', bytes(200)]
    for content in damaged:
        file.path.write_bytes(content)
        with pytest.raises(MemoryLost):
            file.load()


def test_a_card_that_was_copied_to_another_blocker_tells_nothing_there(file: MemoryFile) -> None:
    file.save(MEMORIES[0])
    with pytest.raises(MemoryLost, match="blocker-1"):
        MemoryFile(file.path, "blocker-2").load()


def make_blocker(file: MemoryFile, barrier: SimulatedActuator) -> Blocker:
    loop = asyncio.get_running_loop()
    identity = Identity(file.blocker_id, Path("b.crt"), Path("b.key"))
    clock = ServiceClock(lambda: NOON, loop.time)
    return Blocker(identity, Endpoint("localhost", 8883, Path("ca.pem")), barrier, Limits(), file, clock)


def shadow(position: Position, seconds: float) -> Shadow:
    now = NOON + timedelta(seconds=seconds)
    return Shadow(1, now, Desired(position, "c-1", "r-1", now + timedelta(minutes=1)), None, None)


def journal(blocker: Blocker, what: str) -> list[str]:
    return [entry.detail for entry in blocker.journal if entry.what == what]


@pytest.mark.parametrize(
    ("power_fails_after", "outcome"),
    [(1.0, Outcome("c-1", Result.REJECTED, Reason.OBSTRUCTED)), (4.5, Outcome("c-1", Result.DONE))],
)
def test_a_power_cut_does_not_make_a_blocker_forget_or_repeat_its_command(
    file: MemoryFile, power_fails_after: float, outcome: Outcome
) -> None:
    async def story() -> None:
        barrier = SimulatedActuator(travel_seconds=4)
        before = make_blocker(file, barrier)
        before.on_shadow(shadow(Position.RAISED, 0))
        await asyncio.sleep(power_fails_after)
        before.stop()
        offline = make_blocker(file, barrier)
        assert (offline.machine.outcome, offline.machine.raised_for) == (outcome, "r-1")
        offline.stop()
        again = make_blocker(file, barrier)
        again.on_shadow(shadow(Position.RAISED, 60))
        await asyncio.sleep(60)
        assert (again.machine.outcome, journal(again, "motor")) == (outcome, [])
        again.stop()

    run(story)


@pytest.mark.parametrize(
    ("position", "outcome", "found_at", "raised_for"),
    [
        (Position.RAISED, Outcome("c-2", Result.DONE), Position.RAISED, "r-2"),
        (Position.RAISED, Outcome("c-2"), Position.UNKNOWN, "r-2"),
        (Position.LOWERED, Outcome("c-2", Result.DONE), Position.LOWERED, None),
    ],
)
def test_what_the_shadow_holds_is_believed_over_a_memory_that_the_disk_did_not_take(
    position: Position, outcome: Outcome, found_at: Position, raised_for: str | None
) -> None:
    later = NOON + timedelta(hours=1)
    done = Entry(raised_at=NOON, last_step=step_at(NOON), opened_for="r-1", opened_at=NOON)
    old = Memory(Position.RAISED, Outcome("c-1", Result.DONE), ("c-1",), "r-1", done)
    machine = boot(Limits(), Readings(found_at, Occupancy.VACANT), old)
    desired = Desired(position, "c-2", "r-2", later + timedelta(minutes=1))
    machine, actions = advance(machine, ShadowRead(later, 7, desired, outcome))
    ended = outcome if outcome.result else Outcome("c-2", Result.REJECTED, Reason.OBSTRUCTED)
    assert machine.outcome == ended, "neither carried out twice nor reported as expired"
    assert [type(action) for action in actions] == [Remember, Report]
    assert (machine.raised_for, machine.entry) == (raised_for, Entry(raised_at=later, last_step=step_at(later)))
    assert machine.seen_command_ids == ("c-1", "c-2")
    again, actions = advance(machine, ShadowRead(later, 8, replace(desired, command_id="c-1"), ended))
    assert (again.outcome, [type(action) for action in actions]) == (ended, [Report]), "older ones are still known"


def test_a_driver_who_came_by_a_code_while_the_disk_and_the_network_were_away_is_still_told_of() -> None:
    came_at = NOON + timedelta(minutes=10)
    old = Memory(
        Position.RAISED, Outcome("c-1", Result.DONE), ("c-1",), "r-1", Entry(opened_for="r-1", opened_at=came_at)
    )
    machine = boot(Limits(), Readings(Position.LOWERED, Occupancy.VACANT), old)
    desired = Desired(Position.RAISED, "c-2", "r-1", NOON)
    machine, _ = advance(machine, ShadowRead(came_at, 7, desired, Outcome("c-2", Result.DONE)))
    assert machine.last_report is not None
    assert (machine.last_report.opened_for, machine.last_report.opened_at) == ("r-1", came_at)


def test_a_power_cut_right_after_the_motor_has_started_finds_the_command_written(
    file: MemoryFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        barrier = SimulatedActuator(travel_seconds=4)
        blocker = make_blocker(file, barrier)
        written: list[Memory | None] = []
        start_raising = barrier.start_raising

        def start() -> None:
            written.append(file.load())
            start_raising()

        monkeypatch.setattr(barrier, "start_raising", start)
        blocker.on_shadow(shadow(Position.RAISED, 0))
        [memory] = written
        assert memory is not None
        assert memory == Memory(Position.RAISED, Outcome("c-1"), ("c-1",), "r-1", memory.entry)
        blocker.stop()

    run(story)


def test_a_corrupt_file_and_a_full_disk_are_told_and_stop_nobody(
    file: MemoryFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.path.write_bytes(b"torn")

    def fail(*_: Any) -> None:
        raise OSError("no space")

    async def story() -> None:
        monkeypatch.setattr(MemoryFile, "save", fail)
        blocker = make_blocker(file, SimulatedActuator(travel_seconds=4))
        blocker.on_shadow(shadow(Position.RAISED, 0))
        await asyncio.sleep(5)
        assert blocker.machine.outcome == Outcome("c-1", Result.DONE)
        assert len(journal(blocker, "memory_lost")) == 3  # not read, and twice not written
        blocker.stop()

    run(story)
