"""What holds for the blocker's state machine in whatever order things happen."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from parking_blocker.contract import Desired, Occupancy, Outcome, Position, Reported, Result
from parking_blocker.controller import advance, boot
from parking_blocker.machine import (
    ConnectionLost,
    Event,
    Limits,
    Obstructed,
    Readings,
    ReadingsChanged,
    Report,
    ShadowRead,
    StartLowering,
    StartRaising,
    Stop,
    Tick,
)

HAPPENINGS = (
    "raise",
    "lower",
    "raise expired",
    "lower expired",
    "read again",
    "old answer",
    "car in",
    "car out",
    "sensor silent",
    "sensor fault",
    "sensor repaired",
    "battery low",
    "battery full",
    "hand on",
    "hand off",
    "under way",
    "end switch",
    "obstacle",
    "a second",
    "an hour",
    "network lost",
    "reboot",
)
READINGS_CHANGES: dict[str, Callable[[Readings], Readings]] = {
    "car in": lambda readings: replace(readings, occupancy=Occupancy.OCCUPIED),
    "car out": lambda readings: replace(readings, occupancy=Occupancy.VACANT),
    "sensor silent": lambda readings: replace(readings, occupancy=Occupancy.UNKNOWN),
    "sensor fault": lambda readings: replace(readings, sensor_fault=True),
    "sensor repaired": lambda readings: replace(readings, sensor_fault=False),
    "battery low": lambda readings: replace(readings, battery_percent=3),
    "battery full": lambda readings: replace(readings, battery_percent=100),
    "hand on": lambda readings: replace(readings, manual_override=True),
    "hand off": lambda readings: replace(readings, manual_override=False),
}


class World:
    """A blocker, its hardware and its shadow. Every step is checked against the rules."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 12, tzinfo=UTC)
        self.readings = Readings(Position.LOWERED, Occupancy.VACANT)
        self.running_to: Position | None = None
        self.desired: Desired | None = None
        self.old_answer: tuple[int, Desired | None] | None = None
        self.expired_ids: set[str] = set()
        self.version = 1
        self.reported: Reported | None = None
        self.motions: Counter[tuple[str, type]] = Counter()
        self.commands = 0
        self.machine = boot(Limits(), self.readings)
        self.read_shadow()

    def happen(self, what: str) -> None:
        self.now += timedelta(milliseconds=10)
        match what.split():
            case ["raise" | "lower" as verb, *expired]:
                self.command(Position.RAISED if verb == "raise" else Position.LOWERED, expired=bool(expired))
            case ["read", "again"]:
                self.read_shadow()
            case ["old", "answer"] if self.old_answer and self.machine.online:
                version, desired = self.old_answer
                self.step(ShadowRead(self.now, version, desired, None))
            case ["under", "way"] if self.running_to:
                self.change_readings(replace(self.readings, position=Position.UNKNOWN))
            case ["end", "switch"] if self.running_to:
                self.change_readings(replace(self.readings, position=self.running_to))
            case ["obstacle"]:
                self.step(Obstructed(self.now))
            case ["a", "second"] | ["an", "hour"]:
                self.now += timedelta(seconds=1 if what == "a second" else 3600)
                self.step(Tick(self.now))
            case ["network", "lost"]:
                self.step(ConnectionLost(self.now))
            case ["reboot"]:
                self.running_to = None
                self.machine = boot(Limits(), self.readings)
                self.read_shadow()
            case _ if what in READINGS_CHANGES:
                self.change_readings(READINGS_CHANGES[what](self.readings))

    def command(self, position: Position, *, expired: bool) -> None:
        self.commands += 1
        self.old_answer = (self.version, self.desired)
        lasts = timedelta(seconds=-1 if expired else 600)
        self.desired = Desired(position, f"c-{self.commands}", None, self.now + lasts)
        if expired:
            self.expired_ids.add(self.desired.command_id)
        self.version += 1
        if self.machine.online:
            self.read_shadow()

    def read_shadow(self) -> None:
        last = self.reported
        outcome = Outcome(last.command_id, last.result, last.reason) if last and last.command_id else None
        self.step(ShadowRead(self.now, self.version, self.desired, outcome))

    def change_readings(self, readings: Readings) -> None:
        self.readings = readings
        self.step(ReadingsChanged(self.now, self.readings))

    def step(self, event: Event) -> None:
        before = self.machine
        self.machine, actions = advance(before, event)
        after = self.machine
        for action in actions:
            match action:
                case StartRaising() | StartLowering():
                    assert after.outcome is not None
                    self.motions[after.outcome.command_id, type(action)] += 1
                    self.running_to = Position.RAISED if isinstance(action, StartRaising) else Position.LOWERED
                case Stop():
                    self.running_to = None
                case Report(reported):
                    assert after.online
                    assert (reported.position is Position.MOVING) == (after.motion is not None)
                    self.reported = reported
                    self.version += 1
        self.check_motor()
        if isinstance(event, ShadowRead) and event.version >= before.shadow_version:
            self.check_newest_command(event)
        if after.outcome != before.outcome and after.outcome and after.outcome.result is Result.DONE:
            assert after.target is None or self.readings.position is after.target

    def check_motor(self) -> None:
        motion = self.machine.motion
        assert self.running_to is (motion.target if motion else None)
        if self.running_to is Position.RAISED:
            assert self.readings.occupancy is Occupancy.VACANT
            assert not self.readings.sensor_fault
            assert not self.readings.manual_override
        assert max(self.motions.values(), default=0) <= 1, "one command moved the barrier twice"

    def check_newest_command(self, event: ShadowRead) -> None:
        command, outcome = event.desired, self.machine.outcome
        if command is None:
            return
        assert outcome is not None
        assert outcome.command_id == command.command_id
        if command.command_id in self.expired_ids:
            assert self.motions[command.command_id, StartRaising] == 0
            assert outcome.result is Result.REJECTED

    def check_report(self) -> None:
        """Once connected again, the shadow says what the machine knows."""
        self.read_shadow()
        assert self.reported is not None
        assert self.reported.position is self.machine.position
        assert self.desired is None or self.reported.command_id == self.desired.command_id


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(HAPPENINGS), max_size=40))
def test_in_any_order_no_car_is_lifted_and_no_command_moves_twice(happenings: list[str]) -> None:
    world = World()
    for what in happenings:
        world.happen(what)
    world.check_report()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(HAPPENINGS), max_size=20))
def test_in_any_state_a_lower_in_time_lowers(happenings: list[str]) -> None:
    world = World()
    for what in happenings:
        world.happen(what)
    world.happen("read again")
    world.happen("lower")
    assert world.running_to is Position.LOWERED or world.readings.position is Position.LOWERED
    world.happen("end switch")
    assert world.reported is not None
    assert (world.reported.position, world.reported.result) == (Position.LOWERED, Result.DONE)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(HAPPENINGS), max_size=20), st.sampled_from(["raise expired", "lower expired"]))
def test_in_any_state_an_expired_command_starts_no_motion(happenings: list[str], expired: str) -> None:
    world = World()
    for what in happenings:
        world.happen(what)
    world.happen("read again")
    running_to, motions = world.running_to, world.motions.copy()
    world.happen(expired)
    assert (world.running_to, world.motions) == (running_to, motions)
