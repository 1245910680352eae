"""One blocker in its street, small enough to walk every order of events: motor, car, shadow, journal and judge."""

import copy
from collections.abc import Hashable
from datetime import UTC, datetime, timedelta
from typing import Self

from parking_blocker.contract import Desired, Occupancy, Outcome, Position, Reported, Result
from parking_blocker.controller import advance, boot, next_tick_at
from parking_blocker.machine import (
    ConnectionLost,
    Event,
    Limits,
    Memory,
    Readings,
    ReadingsChanged,
    Remember,
    Report,
    ShadowRead,
    StartLowering,
    StartRaising,
    Stop,
    Tick,
)

HAPPENINGS = ("raise", "lower", "car in", "car out", "offline", "reboot", "late delta", "duplicate")
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
COMMAND_LASTS = timedelta(seconds=3.25)
QUIET = timedelta(seconds=60)

type Answer = tuple[int, Desired | None, Outcome | None]


class Street:
    """Something happens each second; what takes time goes on in between. Every step is judged."""

    def __init__(self, limits: Limits, travel: timedelta, *, writes: int) -> None:
        """`writes`: how often the disk takes what it is given; then it keeps what it has."""
        self.now = NOON
        self._limits = limits
        self._travel = travel
        self._writes_left = writes
        self._height = timedelta(0)  # where the barrier was when the motor last started or stopped
        self._running_to: Position | None = None
        self._running_since = NOON
        self._car = False
        self._left_at = NOON - QUIET  # when the last car left
        self._online = True
        self._journal: Memory | None = None
        self._desired: Desired | None = None
        self._expiries: dict[str, datetime] = {}
        self._version = 1
        self._reported: Reported | None = None
        self._last_answer: Answer | None = None
        self._earlier_answer: Answer | None = None
        self._moved: frozenset[tuple[str, Position]] = frozenset()
        self._machine = boot(limits, self._readings())
        self._read_shadow()
        self._pass(QUIET)

    def after(self, what: str) -> Self:
        """The same street when this has happened, one second later."""
        later = copy.copy(self)
        later._happen(what)
        later._pass(timedelta(seconds=1))
        return later

    def check_quiet_end(self) -> None:
        """The network comes back and nothing more happens: the newest command has a true end; a LOWER still lowers."""
        later = copy.copy(self)
        if not later._online:
            later._happen("offline")
        later._pass(QUIET)
        later._check_ended()
        later._happen("lower")
        later._pass(QUIET)
        later._check_ended()
        assert later._position() is Position.LOWERED, "a lower in time was not obeyed"

    @property
    def key(self) -> Hashable:
        """All that the future and the judge depend on; ids that nobody can bring back any more are left out."""
        machine, reported = self._machine, self._reported
        answers = (self._last_answer, self._earlier_answer)
        told = [desired for desired in (self._desired, *(answer[1] for answer in answers if answer)) if desired]
        outcomes = [machine.outcome, *(answer[2] for answer in answers if answer)]
        live = {each.command_id for each in (*told, *outcomes) if each}
        name = {command_id: number for number, command_id in enumerate(sorted(live))}
        return (
            machine.readings, machine.occupancy, machine.vacant_since, machine.motion, machine.warned, machine.target,
            machine.online, _outcome(machine.outcome, name),
            self._expiries.get(machine.outcome.command_id) if machine.outcome and not machine.outcome.result else None,
            frozenset(name[each] for each in machine.seen_command_ids if each in name),
            self._version - machine.shadow_version if machine.online else None,
            self._left_at if self._just_left() else None,
            self._height, self._running_to, self._running_since if self._running_to else None, self._car, self._online,
            self._writes_left > 0,
            frozenset(name[each] for each in self._journal.seen_command_ids if each in name) if self._journal else None,
            self._journal and self._journal.target, _outcome(self._journal.outcome if self._journal else None, name),
            _desired(self._desired, name),
            *((self._version - each[0], _desired(each[1], name), _outcome(each[2], name)) for each in answers if each),
            reported and (reported.position, reported.occupancy, reported.result, name.get(reported.command_id or "")),
            frozenset((name[each], position) for each, position in self._moved if each in name),
        )  # fmt: skip

    def _happen(self, what: str) -> None:
        match what:
            case "raise" | "lower":
                position = Position.RAISED if what == "raise" else Position.LOWERED
                self._version += 1
                self._desired = Desired(position, f"c-{self._version}", None, self.now + COMMAND_LASTS)
                self._expiries = {**self._expiries, self._desired.command_id: self._desired.expires_at}
                self._read_shadow()
            case "car in" if self._position() is not Position.RAISED:
                self._car = True
                self._sense()
            case "car out":
                self._left_at = self.now if self._car else self._left_at
                self._car = False
                self._sense()
            case "offline":
                self._online = not self._online
                self._take(ConnectionLost(self.now))
                self._read_shadow()
            case "reboot":
                self._reboot()
            case "late delta":
                self._hear(self._earlier_answer)
                self._read_shadow()
            case "duplicate":
                self._hear(self._last_answer)
                self._hear(self._last_answer)

    def _pass(self, time: timedelta) -> None:
        """Ticks and end switches, in their order."""
        until = self.now + time
        while True:
            tick, arrival = next_tick_at(self._machine), self._arrival()
            due = min((at for at in (tick, arrival) if at), default=until)
            if due > until or (tick is None and arrival is None):
                break
            self.now = due
            if due == arrival:
                self._arrive()
            else:
                self._take(Tick(self.now))
        self.now = until

    # -- the hardware

    def _position(self) -> Position:
        if self._running_to or timedelta(0) < self._height < self._travel:
            return Position.UNKNOWN
        return Position.RAISED if self._height else Position.LOWERED

    def _readings(self) -> Readings:
        return Readings(self._position(), Occupancy.OCCUPIED if self._car else Occupancy.VACANT)

    def _just_left(self) -> bool:
        return self.now - self._left_at < timedelta(seconds=self._limits.vacant_seconds)

    def _sense(self) -> None:
        self._take(ReadingsChanged(self.now, self._readings()))

    def _arrival(self) -> datetime | None:
        if self._running_to is None:
            return None
        way = self._travel - self._height if self._running_to is Position.RAISED else self._height
        return self._running_since + way

    def _arrive(self) -> None:
        assert not (self._car and self._running_to is Position.RAISED), "the barrier came up under a car"
        self._height = self._travel if self._running_to is Position.RAISED else timedelta(0)
        self._running_to = None
        self._sense()

    def _stop(self) -> None:
        if self._running_to:
            moved = self.now - self._running_since
            self._height += moved if self._running_to is Position.RAISED else -moved
            self._running_to = None

    def _run(self, to: Position) -> None:
        assert self._running_to is None, "the motor was not stopped before it turned"
        self._running_to, self._running_since = to, self.now

    def _reboot(self) -> None:
        self._stop()
        memory = self._journal
        self._machine = boot(self._limits, self._readings(), memory)
        if memory and self._writes_left:
            outcome = self._machine.outcome
            assert outcome is not None, "the command was forgotten"
            assert (outcome.command_id, outcome.result is None) == (memory.outcome.command_id, False)
        self._last_answer = self._earlier_answer = None
        self._read_shadow()

    # -- the shadow

    def _read_shadow(self) -> None:
        """What the device asks for after each connect and each delta; answers of an older connection do not count."""
        if not self._online:
            self._last_answer = self._earlier_answer = None
            return
        told = self._reported
        outcome = Outcome(told.command_id, told.result, told.reason) if told and told.command_id else None
        self._earlier_answer, self._last_answer = self._last_answer, (self._version, self._desired, outcome)
        self._hear(self._last_answer)

    def _hear(self, answer: Answer | None) -> None:
        if answer and self._online:
            self._take(ShadowRead(self.now, *answer))

    # -- the judge

    def _take(self, event: Event) -> None:
        self._machine, actions = advance(self._machine, event)
        for action in actions:
            match action:
                case StartRaising():
                    self._judge(Position.RAISED)
                    self._run(Position.RAISED)
                case StartLowering():
                    self._judge(Position.LOWERED)
                    self._run(Position.LOWERED)
                case Stop():
                    self._stop()
                case Remember(memory) if self._writes_left:
                    self._journal = memory
                    self._writes_left -= 1
                case Report(reported):
                    assert self._online
                    self._reported = reported
        assert not (self._car and self._running_to is Position.RAISED), "the barrier goes on rising under a car"
        if self._position() is not self._machine.readings.position:
            self._sense()  # an end switch was left, or is still held
        motion = self._machine.motion
        assert self._running_to is (motion.target if motion else None), "the motor does not what the machine believes"

    def _judge(self, position: Position) -> None:
        outcome = self._machine.outcome
        assert outcome is not None, "a motion without a command"
        if outcome.result is not None:
            assert position is Position.LOWERED, "only a barrier that flees moves after its command has ended"
            return
        if position is Position.RAISED:
            assert not self._car, "a raise was started under a car"
            assert not self._just_left(), "a sensor that may flicker was believed"
        assert self.now < self._expiries[outcome.command_id], "a stale command was obeyed"
        newest = self._desired
        assert not self._online or (newest and newest.command_id == outcome.command_id), "an older command was obeyed"
        assert (outcome.command_id, position) not in self._moved, "a command was carried out twice"
        self._moved |= {(outcome.command_id, position)}
        if self._writes_left:
            assert self._journal is not None
            assert self._journal.outcome == outcome, "the motor started before its command was written down"

    def _check_ended(self) -> None:
        assert self._running_to is None
        assert self._machine.warned is None
        if self._desired is None:
            return
        told = self._reported
        assert told is not None
        assert told.command_id == self._desired.command_id, "a command was lost"
        assert told.position is self._position()
        if told.result is Result.DONE:
            assert told.position is self._desired.position
        else:
            assert told.result is Result.REJECTED, "a command has no end"
            assert told.reason is not None


def _outcome(outcome: Outcome | None, name: dict[str, int]) -> Hashable:
    return outcome and (name.get(outcome.command_id), outcome.result, outcome.reason)


def _desired(desired: Desired | None, name: dict[str, int]) -> Hashable:
    return desired and (desired.position, name[desired.command_id], desired.expires_at)
