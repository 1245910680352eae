"""A blocker in its spot: the real controller on a physical barrier, and a car that may stand there.

The physical side is the judge: the motor must never start upwards under a car, and never for a command that is stale.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from parking.domain.blocker import Command
from parking.domain.ids import BlockerId
from parking_blocker.contract import Desired, Occupancy, Outcome, Position, Reported, Result
from parking_blocker.controller import advance, boot, next_tick_at
from parking_blocker.machine import (
    Action,
    Answer,
    CodeTyped,
    ConnectionLost,
    Event,
    Limits,
    Machine,
    Memory,
    Obstructed,
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
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.world import World

TRAVEL = timedelta(seconds=4)
LIMITS = Limits(vacant_seconds=2, warning_seconds=3)
HEARTBEAT = timedelta(seconds=LIMITS.heartbeat_seconds)
DISKS_LOST_PER_MILLE = 300
INTRUDER = "somebody in a hurry"
INTRUDERS_PER_MILLE = 50
JAMS_FOR = timedelta(minutes=5)
UNNOTICED = timedelta(seconds=90)  # one and a half keep-alives: when the broker sees that a device is gone


@dataclass(slots=True)
class Stroke:
    """The motor runs; `ends_at` is None where it is jammed."""

    target: Position
    ends_at: datetime | None


class Device:
    """One blocker. Every method happens at the world's `now`."""

    def __init__(self, world: "World", blocker_id: BlockerId) -> None:
        self.blocker_id = blocker_id
        self.car: str | None = None
        self.connected = False
        self.latency = timedelta(milliseconds=200)
        self._jammed_until = world.now
        self._world = world
        self._readings = Readings(Position.LOWERED, Occupancy.VACANT)
        self._memory: Memory | None = None
        self._machine = boot(LIMITS, self._readings)
        self._timed: Machine | None = None
        """The state that `_ticks_at` was computed for; it is asked for far more often than it changes."""
        self._ticks_at: datetime | None = None
        self._stroke: Stroke | None = None
        self._reads_at: datetime | None = None
        self._connection_number = -1
        self._noticed_at: datetime | None = None
        self._reported: Reported | None = None
        self._obeyed: Command | None = None
        self._intruder_at: datetime | None = None
        self._typed = ""
        self.stands_for: str | None = None
        """The reservation of the last RAISE that it took, by what it was told."""
        self.clock_is_set = False
        """Whether the service has said what time it is since the last power cut."""
        self.forgot_at: datetime | None = None
        """When its disk was lost: a new computer takes no code of before."""

    @property
    def position(self) -> Position:
        """Where the barrier really is."""
        return self._readings.position

    @property
    def online(self) -> bool:
        """Connected, and its shadow read."""
        return self.connected and self._machine.online

    @property
    def moving(self) -> bool:
        """Whether the motor runs."""
        return self._stroke is not None

    @property
    def sensor_fault(self) -> bool:
        """Whether the sensor is broken: it says that it is, and sees nothing."""
        return self._readings.sensor_fault

    @property
    def manual_override(self) -> bool:
        """Whether somebody works the barrier by hand."""
        return self._readings.manual_override

    @property
    def tampered(self) -> bool:
        """Whether its housing is open."""
        return self._readings.tamper

    # -- what happens to it

    def connect(self) -> None:
        """The broker takes the connection; the shadow is read a little later. An older one is thrown out now."""
        if self.connected:
            return
        self._be_noticed()
        self.connected = True
        self._connection_number += 1
        self._world.presence(self.blocker_id, True, self._connection_number)
        self._reads_at = self._world.now + self.latency

    def disconnect(self, noticed_after: timedelta = UNNOTICED) -> None:
        """The network fails; the broker notices later."""
        if not self.connected:
            return
        self.connected = False
        self._reads_at = None
        self._noticed_at = self._world.now + noticed_after
        self._take(ConnectionLost(self._world.now))

    def _be_noticed(self) -> None:
        """The broker says that the connection has ended."""
        if self._noticed_at:
            self._noticed_at = None
            self._world.presence(self.blocker_id, False, self._connection_number)

    def reboot(self) -> None:
        """Power fails for a moment: the motor stops where it is. Now and then the disk does not survive it."""
        self.disconnect()
        self._stroke = None
        self.clock_is_set = False
        if self._world.draws.chance(DISKS_LOST_PER_MILLE):
            self._memory = None
            self.forgot_at = self._world.now
        self._machine = boot(LIMITS, self._readings, self._memory)
        self.connect()

    def type_code(self, code: str) -> None:
        """Somebody types a code at the barrier, whether there is a network or not."""
        self._world.say("somebody types {} at {}", code, self.blocker_id)
        self._typed = code
        secrets = tuple(self._world.ports.codes.secret_of(self.blocker_id).split())
        self._take(CodeTyped(self._world.now, code, secrets, self.clock_is_set))

    def car_comes(self, driver: str) -> bool:
        """A car drives onto the spot, if the barrier lets it: down, or still on its way up."""
        if self.car or self.position is Position.RAISED:
            return False
        self.car = driver
        self._sense()
        return True

    def car_leaves(self) -> None:
        """The car drives off."""
        self.car = None
        self._sense()

    def break_sensor(self, broken: bool) -> None:
        """The sensor fails, or is mended."""
        self._readings = replace(self._readings, sensor_fault=broken)
        self._sense()

    def override(self, on: bool) -> None:
        """Somebody works the barrier by hand, or stops doing so."""
        self._readings = replace(self._readings, manual_override=on)
        self._sense()

    def tamper(self, on: bool) -> None:
        """Somebody opens the housing, or closes it."""
        self._readings = replace(self._readings, tamper=on)
        self._sense()

    def run_down(self, percent: int) -> None:
        """The battery says this."""
        self._readings = replace(self._readings, battery_percent=percent)
        self._sense()

    def jam(self) -> None:
        """Ice or gravel in the way of the barrier: the motor runs and arrives nowhere."""
        self._jammed_until = self._world.now + JAMS_FOR

    def push_against(self) -> None:
        """The motor meets an obstacle."""
        self._take(Obstructed(self._world.now))

    def mend(self) -> None:
        """Somebody comes with tools: what was broken works again."""
        self._jammed_until = self._world.now
        if self._stroke and self._stroke.ends_at is None:
            self._stroke.ends_at = self._world.now + TRAVEL
        self.latency = timedelta(milliseconds=200)
        self._readings = replace(
            self._readings, sensor_fault=False, manual_override=False, tamper=False, battery_percent=100
        )
        self._sense()

    def hear_delta(self) -> None:
        """The shadow holds a new command: it will be read."""
        if self.connected and self._reads_at is None:
            self._reads_at = self._world.now + self.latency

    # -- time

    def next_at(self) -> datetime | None:
        """When something happens by itself."""
        if self._timed is not self._machine:
            self._timed, self._ticks_at = self._machine, next_tick_at(self._machine)
        first = self._stroke.ends_at if self._stroke else None
        for at in (self._reads_at, self._intruder_at, self._noticed_at, self._ticks_at):
            if at and (first is None or at < first):
                first = at
        return first

    def happen(self) -> None:
        """What is due at the world's `now`."""
        now = self._world.now
        if self._reads_at and self._reads_at <= now:
            self._reads_at = None
            self._read_shadow()
        elif self._noticed_at and self._noticed_at <= now:
            self._be_noticed()
        elif self._intruder_at and self._intruder_at <= now:
            self._intruder_at = None
            self.car_comes(INTRUDER)
        elif self._stroke and self._stroke.ends_at and self._stroke.ends_at <= now:
            self._arrive(self._stroke)
        else:
            self._take(Tick(now))

    def skipped_to(self, now: datetime) -> datetime | None:
        """Heartbeats that nobody would look at are skipped: the last one before `now`, where several are due."""
        due = self.next_at()
        if due is None or due > now or self._stroke or self._reads_at or self._noticed_at or self._is_patient():
            return due
        return due + HEARTBEAT * ((now - due) // HEARTBEAT)

    def _is_patient(self) -> bool:
        """Whether a warning sounds, or a sensor is about to be believed."""
        machine = self._machine
        return bool(machine.warned or (machine.vacant_since and machine.occupancy is not Occupancy.VACANT))

    # -- inside

    def _sense(self) -> None:
        seen = Occupancy.OCCUPIED if self.car else Occupancy.VACANT
        occupancy = Occupancy.UNKNOWN if self.sensor_fault else seen
        self._readings = replace(self._readings, occupancy=occupancy)
        self._take(ReadingsChanged(self._world.now, self._readings))

    def _read_shadow(self) -> None:
        command, version = self._world.shadow_read(self.blocker_id)
        desired = _desired(command) if command else None
        self._obeyed = command
        self.clock_is_set = True
        last = self._reported
        outcome = Outcome(last.command_id, last.result, last.reason) if last and last.command_id else None
        self._take(ShadowRead(self._world.now, version, desired, outcome))

    def _arrive(self, stroke: Stroke) -> None:
        if stroke.target is Position.RAISED and self.car:
            raise Violation(5, f"the barrier {self.blocker_id} came up under the car of {self.car}")
        self._stroke = None
        self._readings = replace(self._readings, position=stroke.target)
        self._take(ReadingsChanged(self._world.now, self._readings))

    def _take(self, event: Event) -> None:
        self._machine, actions = advance(self._machine, event)
        for action in actions:
            self._carry_out(action)

    def _carry_out(self, action: Action) -> None:
        match action:
            case StartRaising():
                self._judge_raising()
                self._start(Position.RAISED)
            case StartLowering():
                self._start(Position.LOWERED)
            case Stop():
                self._stroke = None
            case Remember(memory):
                self._memory = memory
                self._note_raise(memory.outcome)
            case Answer(verdict):
                self._world.say("    {}", verdict)
                self._world.codes.answered(self, self._typed, verdict)
            case Report(reported):
                if self.connected:
                    self._reported = reported
                    self._world.reported(self.blocker_id, reported)

    def _note_raise(self, outcome: Outcome) -> None:
        told = self._obeyed
        if told is None or outcome.result is Result.REJECTED:
            return
        desired = _desired(told)
        if (desired.position, desired.command_id) == (Position.RAISED, outcome.command_id):
            self.stands_for = told.reservation_id

    def _start(self, target: Position) -> None:
        ends_at = None if self._world.now < self._jammed_until else self._world.now + TRAVEL
        self._stroke = Stroke(target, ends_at)
        if target is Position.RAISED and self._world.wild and self._world.draws.chance(INTRUDERS_PER_MILLE):
            self._intruder_at = self._world.now + TRAVEL / 2
        self._readings = replace(self._readings, position=Position.UNKNOWN)
        self._world.say("{} starts to {}", self.blocker_id, "rise" if target is Position.RAISED else "sink")

    def _judge_raising(self) -> None:
        if self.car:
            raise Violation(5, f"the motor of {self.blocker_id} starts to raise under the car of {self.car}")
        if self._obeyed is None or self._world.now >= self._obeyed.expires_at:
            raise Violation(5, f"{self.blocker_id} obeys a stale RAISE")


def _desired(command: Command) -> Desired:
    expires_at = command.expires_at.replace(microsecond=0)  # as the shadow document writes it
    return Desired(Position(command.position), command.command_id, command.reservation_id, expires_at)
