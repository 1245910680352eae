"""What a blocker does about what it sees: a pure state machine, without I/O and without a clock.

`advance(machine, event)` gives the next machine and the actions to carry out. The rules that protect people and cars
live here and nowhere else:

- RAISE starts only over a spot that the sensor has called VACANT for a while, and a car seen on the way up sends the
  barrier down again;
- light and sound warn before the motor starts; only a barrier that flees from a car starts at once, with them;
- a command whose `expires_at` has passed starts nothing;
- a command id moves the barrier once, however often it arrives, and power cuts do not change that;
- LOWER is refused for nothing but its expiry;
- a code that opens (`entering`) lowers, and does nothing else.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from parking_blocker.contract import Desired, Occupancy, Outcome, Position, Reason, Result
from parking_blocker.entering import judge
from parking_blocker.machine import (
    Action,
    Answer,
    ClockCorrected,
    CodeTyped,
    ConnectionLost,
    Entry,
    Event,
    Limits,
    Machine,
    Memory,
    Motion,
    MotorAction,
    Obstructed,
    Readings,
    ReadingsChanged,
    Remember,
    ReportLost,
    ShadowRead,
    StartLowering,
    StartRaising,
    Stop,
    Tick,
    Verdict,
    Warn,
    Warned,
)
from parking_blocker.offline_code import step_at
from parking_blocker.reporting import heartbeat_due, with_report

BATTERY_PERCENT_MIN = 10
COMMAND_IDS_KEPT = 32
ENTRY_LASTS = timedelta(minutes=1)  # what a code has opened is lowered by then, or not at all

type Step = tuple[Machine, tuple[MotorAction, ...]]


def boot(limits: Limits, readings: Readings, memory: Memory | None = None) -> Machine:
    """A machine that knows what its switches and sensors say, and what it remembers from before the power cut."""
    machine = Machine(limits=limits, readings=readings)
    if memory is None:
        return machine
    return _after_power_cut(
        replace(
            machine,
            target=memory.target,
            outcome=memory.outcome,
            seen_command_ids=memory.seen_command_ids,
            raised_for=memory.raised_for,
            entry=memory.entry,
        )
    )


def memory_of(machine: Machine) -> Memory | None:
    """What has to outlive a power cut; None before the first command."""
    if machine.outcome is None:
        return None
    return Memory(machine.target, machine.outcome, machine.seen_command_ids, machine.raised_for, machine.entry)


def advance(machine: Machine, event: Event) -> tuple[Machine, tuple[Action, ...]]:
    """Take one event; the actions are to be carried out in their order."""
    before = machine
    if isinstance(event, ClockCorrected):
        machine = _shifted(machine, event.by)
        return machine, _remembered(before, machine, ())
    report_now = False
    motor_actions: tuple[MotorAction, ...] = ()
    answers: tuple[Answer, ...] = ()
    machine = _believe(machine, event)
    match event:
        case ConnectionLost():
            # A shadow that was deleted and made again counts from one, so versions compare within a connection only.
            return replace(machine, online=False, shadow_version=0), ()
        case ShadowRead():
            machine, motor_actions = _read_shadow(machine, event)
            report_now = True
        case ReadingsChanged():
            machine, motor_actions = _take_readings(machine, event.now)
        case Obstructed():
            machine, motor_actions = _obstructed(machine, event.now)
        case Tick():
            machine, motor_actions = _tick(machine, event.now)
            report_now = heartbeat_due(machine, event.now)
        case ReportLost():
            report_now = True
        case CodeTyped():
            machine, verdict = judge(machine, event)
            answers = (Answer(verdict),)
            if verdict is Verdict.OPENS:
                machine, motor_actions = _let_in(machine, event.now)
    actions = (*_remembered(before, machine, motor_actions), *answers)
    return with_report(machine, actions, event.now, report_now)


def next_tick_at(machine: Machine) -> datetime | None:
    """When the machine next wants a Tick: for a motion or a warning, to believe VACANT, or for the heartbeat."""
    deadlines: list[datetime] = []
    if machine.motion:
        deadlines.append(machine.motion.started_at + timedelta(seconds=machine.limits.motion_seconds_max))
    if machine.warned:
        deadlines.append(machine.warned.starts_at)
    if machine.vacant_since and machine.occupancy is not Occupancy.VACANT:
        deadlines.append(machine.vacant_since + timedelta(seconds=machine.limits.vacant_seconds))
    if machine.online and machine.last_report:
        deadlines.append(machine.last_report.at + timedelta(seconds=machine.limits.heartbeat_seconds))
    return min(deadlines, default=None)


def _believe(machine: Machine, event: Event) -> Machine:
    """What the sensor says counts at once if it is a car or nothing certain, and only after a while if it is VACANT."""
    if isinstance(event, ReadingsChanged):
        machine = replace(machine, readings=event.readings)
    readings = machine.readings
    seen = Occupancy.UNKNOWN if readings.sensor_fault else readings.occupancy
    if seen is machine.occupancy and (seen is Occupancy.VACANT or machine.vacant_since is None):
        return machine
    if seen is not Occupancy.VACANT:
        return replace(machine, occupancy=seen, vacant_since=None)
    since = machine.vacant_since or event.now
    lasted = event.now - since >= timedelta(seconds=machine.limits.vacant_seconds)
    return replace(machine, occupancy=seen if lasted else machine.occupancy, vacant_since=since)


def _read_shadow(machine: Machine, event: ShadowRead) -> Step:
    if event.version < machine.shadow_version:
        return machine, ()
    machine = replace(machine, online=True, shadow_version=event.version)
    desired = event.desired
    told = event.last_outcome
    if told is not None and told.command_id not in machine.seen_command_ids:
        machine = _remember_by_shadow(machine, told, desired, event.now)
    if desired is None or desired.command_id in machine.seen_command_ids:
        return machine, ()
    seen = _with_newest(machine.seen_command_ids, desired.command_id)
    return _obey(replace(machine, seen_command_ids=seen, target=desired.position), desired, event.now)


def _remember_by_shadow(machine: Machine, last_outcome: Outcome, desired: Desired | None, now: datetime) -> Machine:
    """Take over the outcome that the shadow holds, where the device has no memory of it.

    It is a new computer, or one whose disk did not write: nobody else reports, so what it does not know is newer than
    what it remembers. It cannot know which codes have opened: those of before do not count any more. A RAISE that was
    rejected may never have been taken, so its stay's code opens nothing; whom the barrier served before, nobody knows.
    """
    same = desired if desired is not None and desired.command_id == last_outcome.command_id else None
    raised = same if same and same.position is Position.RAISED and last_outcome.result is not Result.REJECTED else None
    raised_for = raised.reservation_id if raised else None
    entry = Entry(raised_at=now, last_step=step_at(now))
    if raised_for is not None and machine.entry.opened_for == raised_for:
        # The evidence of a driver who came in before the network was back.
        entry = replace(entry, opened_for=raised_for, opened_at=machine.entry.opened_at)
    return _after_power_cut(
        replace(
            machine,
            outcome=last_outcome,
            seen_command_ids=_with_newest(machine.seen_command_ids, last_outcome.command_id),
            target=same.position if same else None,
            raised_for=raised_for,
            entry=entry,
        )
    )


def _with_newest(command_ids: tuple[str, ...], newest: str) -> tuple[str, ...]:
    return (*command_ids, newest)[-COMMAND_IDS_KEPT:]


def _after_power_cut(machine: Machine) -> Machine:
    """A motion that a power cut has ended is not resumed: it has arrived, or it is said to have failed."""
    return _fail_open_command(_done_if_there(machine), Reason.OBSTRUCTED)


def _obey(machine: Machine, desired: Desired, now: datetime) -> Step:
    """Act on a command that is seen for the first time. It replaces the one before, even in mid-motion."""
    warned = machine.warned
    if now >= desired.expires_at:
        return _refuse(machine, desired.command_id, Reason.EXPIRED)
    # A motion that has not begun is dropped with its command.
    accepted, calm = replace(machine, outcome=Outcome(desired.command_id), warned=None), (Stop(),) if warned else ()
    if desired.position is Position.RAISED:
        entry = Entry(raised_at=now, last_step=machine.entry.last_step)
        accepted = replace(accepted, raised_for=desired.reservation_id, entry=entry, code_free_at=None)
    if machine.motion is None and machine.readings.position is desired.position:
        return _done_if_there(accepted), calm
    if machine.motion is not None and machine.motion.target is desired.position:
        return accepted, ()
    refusal = _reason_not_to_raise(machine) if desired.position is Position.RAISED else None
    if refusal is not None:
        return _refuse(machine, desired.command_id, refusal)
    if warned is not None and warned.target is desired.position:
        expires_at = max(warned.expires_at, desired.expires_at) if warned.by_code else desired.expires_at
        return replace(accepted, warned=replace(warned, expires_at=expires_at)), ()
    starts_at = now + timedelta(seconds=machine.limits.warning_seconds)
    return _warn(accepted, Warned(desired.position, starts_at, desired.expires_at), now, calm)


def _refuse(machine: Machine, command_id: str, reason: Reason) -> Step:
    """It takes a warning with it, as it takes its predecessor's place; but who has typed a code is still let in."""
    machine = _rejected(machine, command_id, reason)
    if machine.warned is None or machine.warned.by_code:
        return machine, ()
    return replace(machine, warned=None), (Stop(),)


def _let_in(machine: Machine, now: datetime) -> Step:
    """Lower for whom a code has opened. A RAISE that is under way has failed by that; a LOWER goes on."""
    expires_at = now + ENTRY_LASTS
    motion, warned = machine.motion, machine.warned
    if warned is not None and warned.target is Position.LOWERED:
        expires_at = max(warned.expires_at, expires_at)
        return replace(machine, warned=replace(warned, expires_at=expires_at, by_code=True)), ()
    if motion is not None and motion.target is Position.LOWERED:
        return machine, ()
    calm = (Stop(),) if warned else ()
    machine = replace(_fail_open_command(machine, Reason.MANUAL_OVERRIDE), warned=None)
    if motion is None and machine.readings.position is Position.LOWERED:
        return machine, calm
    starts_at = now + timedelta(seconds=machine.limits.warning_seconds)
    return _warn(machine, Warned(Position.LOWERED, starts_at, expires_at, by_code=True), now, calm)


def _warn(machine: Machine, warned: Warned, now: datetime, calm: tuple[MotorAction, ...]) -> Step:
    """Start the motor after the warning. A motion the other way is stopped first."""
    if not machine.limits.warning_seconds:
        return _start(machine, warned.target, now)
    stop_first = (Stop(),) if machine.motion else calm
    return replace(machine, motion=None, warned=warned), (*stop_first, Warn())


def _reason_not_to_raise(machine: Machine) -> Reason | None:
    readings = machine.readings
    if readings.manual_override:
        return Reason.MANUAL_OVERRIDE
    if readings.sensor_fault:
        return Reason.SENSOR_FAULT
    if machine.occupancy is not Occupancy.VACANT:
        return Reason.OCCUPIED
    if readings.battery_percent < BATTERY_PERCENT_MIN:
        return Reason.LOW_BATTERY
    return None


def _take_readings(machine: Machine, now: datetime) -> Step:
    motion = machine.motion
    if motion is None:
        return _reconsider(machine)
    if motion.target is Position.RAISED:
        # Before the end switch is asked: a car seen at the very end of the way is a car all the same.
        if machine.readings.manual_override:
            return _halt(machine, Reason.MANUAL_OVERRIDE)
        if machine.occupancy is not Occupancy.VACANT:
            return _lower_back(machine, now)
    if machine.readings.position is motion.target:
        return _done_if_there(replace(machine, motion=None)), (Stop(),)
    return machine, ()


def _reconsider(machine: Machine) -> Step:
    """The motor rests. A warning ends if the barrier is there already (by hand), or if it must not rise any more."""
    warned = machine.warned
    if warned is None:
        return _done_if_there(machine), ()
    if machine.readings.position is warned.target:
        return _done_if_there(replace(machine, warned=None)), (Stop(),)
    refusal = _reason_not_to_raise(machine) if warned.target is Position.RAISED else None
    return (machine, ()) if refusal is None else _halt(machine, refusal)


def _obstructed(machine: Machine, now: datetime) -> Step:
    if machine.motion is None:
        return machine, ()
    if machine.motion.target is Position.RAISED:
        return _lower_back(machine, now)
    return _halt(machine, Reason.OBSTRUCTED)


def _tick(machine: Machine, now: datetime) -> Step:
    """A motion that reaches no end switch in time is jammed: the motor must not run for ever."""
    motion, warned = machine.motion, machine.warned
    if motion and now - motion.started_at >= timedelta(seconds=machine.limits.motion_seconds_max):
        return _obstructed(machine, now)
    if warned and now >= warned.starts_at:
        # A sensor that has changed its mind has ended the warning already (`_reconsider`).
        return _halt(machine, Reason.EXPIRED) if now >= warned.expires_at else _start(machine, warned.target, now)
    return machine, ()


def _lower_back(machine: Machine, now: datetime) -> Step:
    """Flee: at once, and with light and sound on the way down where there are any."""
    machine, actions = _start(_fail_open_command(machine, Reason.OBSTRUCTED), Position.LOWERED, now)
    return machine, (*actions, Warn()) if machine.limits.warning_seconds else actions


def _halt(machine: Machine, reason: Reason) -> Step:
    return replace(_fail_open_command(machine, reason), motion=None, warned=None), (Stop(),)


def _start(machine: Machine, target: Position, now: datetime) -> Step:
    start: MotorAction = StartRaising() if target is Position.RAISED else StartLowering()
    stop_first: tuple[MotorAction, ...] = (Stop(),) if machine.motion else ()
    return replace(machine, motion=Motion(target, now), warned=None), (*stop_first, start)


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


def _shifted(machine: Machine, by: timedelta) -> Machine:
    """The machine after its clock was put right: a motion of ten seconds stays one of ten seconds."""
    motion, warned, since, last = machine.motion, machine.warned, machine.vacant_since, machine.last_report
    entry, free_at = machine.entry, machine.code_free_at
    # Of before this boot nobody knows by how much the clock was wrong, if it was.
    opened_at = entry.opened_at + by if entry.opened_at and machine.opened_since_boot else entry.opened_at
    return replace(
        machine,
        vacant_since=since + by if since else None,
        motion=replace(motion, started_at=motion.started_at + by) if motion else None,
        warned=_warning_shifted(warned, by) if warned else None,
        last_report=replace(last, at=last.at + by) if last else None,
        entry=entry if opened_at == entry.opened_at else replace(entry, opened_at=opened_at),
        code_free_at=free_at + by if free_at else None,
    )


def _warning_shifted(warned: Warned, by: timedelta) -> Warned:
    """A command's expiry is the service's word; a code's is this clock's own."""
    expires_at = warned.expires_at + by if warned.by_code else warned.expires_at
    return replace(warned, starts_at=warned.starts_at + by, expires_at=expires_at)


def _remembered(before: Machine, after: Machine, motor_actions: tuple[MotorAction, ...]) -> tuple[Action, ...]:
    """What is new, a command or a code, is written down before its motor starts.

    A motor that stops or flees does not wait for a disk.
    """
    known = after.outcome is before.outcome and after.entry is before.entry
    memory = None if known else memory_of(after)
    if memory is None:
        return motor_actions
    remember = Remember(memory)
    new_command = before.outcome is None or before.outcome.command_id != memory.outcome.command_id
    if not new_command and after.entry is before.entry:
        return (*motor_actions, remember)
    stops = tuple(action for action in motor_actions if isinstance(action, Stop))
    return (*stops, remember, *motor_actions[len(stops) :])
