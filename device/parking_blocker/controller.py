"""What a blocker does about what it sees: a pure state machine, without I/O and without a clock.

`advance(machine, event)` gives the next machine and the actions to carry out. Every event brings the time at which it
happened (UTC, corrected by the service's clock). The rules that protect people and cars live here and nowhere else:

- RAISE starts only over a spot that the sensor calls VACANT, and a car seen on the way up sends the barrier down again;
- a command whose `expires_at` has passed moves nothing;
- a command id moves the barrier once, however often it arrives;
- LOWER is refused for nothing but its expiry.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from parking_blocker import FIRMWARE
from parking_blocker.contract import Desired, Occupancy, Outcome, Position, Reason, Reported, Result

BATTERY_PERCENT_MIN = 10
COMMAND_IDS_KEPT = 32


@dataclass(frozen=True, slots=True)
class Limits:
    """heartbeat_seconds: the longest silence. motion_seconds_max: when a motion counts as jammed."""

    heartbeat_seconds: float = 300.0
    motion_seconds_max: float = 30.0


@dataclass(frozen=True, slots=True)
class Readings:
    """What switches and sensors say now. `position` is RAISED or LOWERED at an end switch and UNKNOWN in between."""

    position: Position
    occupancy: Occupancy
    battery_percent: int = 100
    tamper: bool = False
    manual_override: bool = False
    sensor_fault: bool = False


@dataclass(frozen=True, slots=True)
class Motion:
    """The motor is running towards `target`."""

    target: Position
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Machine:
    """The whole state of one blocker.

    `target` is what the newest command asked for; None after a reboot when the shadow does not hold it any more.
    `online` means that the shadow was read since the last connect: before that nothing is reported, because the
    report would wipe out the outcome that the shadow remembers for us across a reboot.
    """

    limits: Limits
    readings: Readings
    motion: Motion | None = None
    target: Position | None = None
    outcome: Outcome | None = None
    seen_command_ids: tuple[str, ...] = ()
    online: bool = False
    shadow_version: int = 0
    last_report: Reported | None = None

    @property
    def position(self) -> Position:
        """The position as the contract reports it."""
        return Position.MOVING if self.motion else self.readings.position


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """Nothing can be reported until the shadow was read again."""

    now: datetime


@dataclass(frozen=True, slots=True)
class ShadowRead:
    """The full shadow: the newest command, and what this device reported last (before a reboot, perhaps)."""

    now: datetime
    version: int
    desired: Desired | None
    last_outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class ReadingsChanged:
    """A sensor or an end switch says something new; an end switch is how a motion finishes."""

    now: datetime
    readings: Readings


@dataclass(frozen=True, slots=True)
class Obstructed:
    """The motor pushes against something."""

    now: datetime


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed (see `next_tick_at`)."""

    now: datetime


@dataclass(frozen=True, slots=True)
class ReportLost:
    """The service did not take the last report."""

    now: datetime


type Event = ConnectionLost | ShadowRead | ReadingsChanged | Obstructed | Tick | ReportLost


@dataclass(frozen=True, slots=True)
class StartRaising:
    """Run the motor upwards."""


@dataclass(frozen=True, slots=True)
class StartLowering:
    """Run the motor downwards."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the motor where it is."""


@dataclass(frozen=True, slots=True)
class Report:
    """Send this as the shadow's reported state."""

    reported: Reported


type MotorAction = StartRaising | StartLowering | Stop
type Action = MotorAction | Report
type Step = tuple[Machine, tuple[MotorAction, ...]]


def boot(limits: Limits, readings: Readings) -> Machine:
    """A machine that knows only what its switches and sensors say."""
    return Machine(limits=limits, readings=readings)


def advance(machine: Machine, event: Event) -> tuple[Machine, tuple[Action, ...]]:
    """Take one event; the actions are to be carried out in their order."""
    report_now = False
    motor_actions: tuple[MotorAction, ...] = ()
    match event:
        case ConnectionLost():
            # A shadow that was deleted and made again counts from one, so versions compare within a connection only.
            return replace(machine, online=False, shadow_version=0), ()
        case ShadowRead():
            machine, motor_actions = _read_shadow(machine, event)
            report_now = True
        case ReadingsChanged():
            machine, motor_actions = _take_readings(machine, event)
        case Obstructed():
            machine, motor_actions = _obstructed(machine, event.now)
        case Tick():
            machine, motor_actions = _tick(machine, event.now)
            report_now = _heartbeat_due(machine, event.now)
        case ReportLost():
            report_now = True
    return _with_report(machine, motor_actions, event.now, report_now)


def next_tick_at(machine: Machine) -> datetime | None:
    """When the machine next wants a Tick: the end of a motion that takes too long, or the heartbeat."""
    deadlines: list[datetime] = []
    if machine.motion:
        deadlines.append(machine.motion.started_at + timedelta(seconds=machine.limits.motion_seconds_max))
    if machine.online and machine.last_report:
        deadlines.append(machine.last_report.at + timedelta(seconds=machine.limits.heartbeat_seconds))
    return min(deadlines, default=None)


def _read_shadow(machine: Machine, event: ShadowRead) -> Step:
    if event.version < machine.shadow_version:
        return machine, ()
    machine = replace(machine, online=True, shadow_version=event.version)
    desired = event.desired
    if machine.outcome is None and event.last_outcome is not None:
        machine = _remember_across_reboot(machine, event.last_outcome, desired)
    if desired is None or desired.command_id in machine.seen_command_ids:
        return machine, ()
    seen = (*machine.seen_command_ids, desired.command_id)[-COMMAND_IDS_KEPT:]
    return _obey(replace(machine, seen_command_ids=seen, target=desired.position), desired, event.now)


def _remember_across_reboot(machine: Machine, last_outcome: Outcome, desired: Desired | None) -> Machine:
    """Take over the outcome that the shadow holds. A motion that a power cut ended is not resumed by itself."""
    same_command = desired is not None and desired.command_id == last_outcome.command_id
    machine = replace(
        machine,
        outcome=last_outcome,
        seen_command_ids=(last_outcome.command_id,),
        target=desired.position if desired is not None and same_command else None,
    )
    return _done_if_there(machine)


def _obey(machine: Machine, desired: Desired, now: datetime) -> Step:
    """Act on a command that is seen for the first time. It replaces the one before, even in mid-motion."""
    if now >= desired.expires_at:
        return _rejected(machine, desired.command_id, Reason.EXPIRED), ()
    accepted = replace(machine, outcome=Outcome(desired.command_id))
    if machine.motion is None and machine.readings.position is desired.position:
        return _done_if_there(accepted), ()
    if machine.motion is not None and machine.motion.target is desired.position:
        return accepted, ()
    if desired.position is Position.LOWERED:
        return _start(accepted, Position.LOWERED, now)
    refusal = _reason_not_to_raise(machine.readings)
    if refusal is not None:
        return _rejected(machine, desired.command_id, refusal), ()
    return _start(accepted, Position.RAISED, now)


def _reason_not_to_raise(readings: Readings) -> Reason | None:
    if readings.manual_override:
        return Reason.MANUAL_OVERRIDE
    if readings.sensor_fault:
        return Reason.SENSOR_FAULT
    if readings.occupancy is not Occupancy.VACANT:
        return Reason.OCCUPIED
    if readings.battery_percent < BATTERY_PERCENT_MIN:
        return Reason.LOW_BATTERY
    return None


def _take_readings(machine: Machine, event: ReadingsChanged) -> Step:
    machine = replace(machine, readings=event.readings)
    motion = machine.motion
    if motion is None:
        return _done_if_there(machine), ()
    if motion.target is Position.RAISED:
        # Before the end switch is asked: a car seen at the very end of the way is a car all the same.
        if machine.readings.manual_override:
            return _halt(machine, Reason.MANUAL_OVERRIDE)
        if machine.readings.sensor_fault or machine.readings.occupancy is not Occupancy.VACANT:
            return _lower_back(machine, event.now)
    if machine.readings.position is motion.target:
        return _done_if_there(replace(machine, motion=None)), (Stop(),)
    return machine, ()


def _obstructed(machine: Machine, now: datetime) -> Step:
    if machine.motion is None:
        return machine, ()
    if machine.motion.target is Position.RAISED:
        return _lower_back(machine, now)
    return _halt(machine, Reason.OBSTRUCTED)


def _tick(machine: Machine, now: datetime) -> Step:
    """A motion that reaches no end switch in time is jammed: the motor must not run for ever."""
    motion = machine.motion
    if motion and now - motion.started_at >= timedelta(seconds=machine.limits.motion_seconds_max):
        return _obstructed(machine, now)
    return machine, ()


def _lower_back(machine: Machine, now: datetime) -> Step:
    machine = _fail_open_command(machine, Reason.OBSTRUCTED)
    return _start(machine, Position.LOWERED, now)


def _halt(machine: Machine, reason: Reason) -> Step:
    return replace(_fail_open_command(machine, reason), motion=None), (Stop(),)


def _start(machine: Machine, target: Position, now: datetime) -> Step:
    start: MotorAction = StartRaising() if target is Position.RAISED else StartLowering()
    stop_first: tuple[MotorAction, ...] = (Stop(),) if machine.motion else ()
    return replace(machine, motion=Motion(target, now)), (*stop_first, start)


def _done_if_there(machine: Machine) -> Machine:
    """An open command is done when the end switch says that the barrier stands where it was asked to."""
    outcome = machine.outcome
    if outcome is None or outcome.result is not None or machine.readings.position is not machine.target:
        return machine
    return replace(machine, outcome=Outcome(outcome.command_id, Result.DONE))


def _rejected(machine: Machine, command_id: str, reason: Reason) -> Machine:
    return replace(machine, outcome=Outcome(command_id, Result.REJECTED, reason))


def _fail_open_command(machine: Machine, reason: Reason) -> Machine:
    """A motion failed. A result that was already given (the motion outlived its command) stays as it is."""
    if machine.outcome is None or machine.outcome.result is not None:
        return machine
    return _rejected(machine, machine.outcome.command_id, reason)


def _heartbeat_due(machine: Machine, now: datetime) -> bool:
    last = machine.last_report
    return last is not None and now - last.at >= timedelta(seconds=machine.limits.heartbeat_seconds)


def _with_report(
    machine: Machine, motor_actions: tuple[MotorAction, ...], now: datetime, report_now: bool
) -> tuple[Machine, tuple[Action, ...]]:
    """Report when it was asked for, and whenever anything but the time differs from the last report."""
    reported = _reported(machine, now)
    last = machine.last_report
    changed = last is None or replace(last, at=now) != reported
    if not machine.online or not (report_now or changed):
        return machine, motor_actions
    return replace(machine, last_report=reported), (*motor_actions, Report(reported))


def _reported(machine: Machine, now: datetime) -> Reported:
    outcome = machine.outcome
    readings = machine.readings
    return Reported(
        position=machine.position,
        occupancy=Occupancy.UNKNOWN if readings.sensor_fault else readings.occupancy,
        command_id=outcome.command_id if outcome else None,
        result=outcome.result if outcome else None,
        reason=outcome.reason if outcome else None,
        battery_percent=readings.battery_percent,
        tamper=readings.tamper,
        manual_override=readings.manual_override,
        firmware=FIRMWARE,
        at=now,
    )
