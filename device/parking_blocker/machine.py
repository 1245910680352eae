"""What a blocker knows, what can happen to it, and what it can do: the nouns of the state machine in `controller`.

Every event brings the time at which it happened (UTC, corrected by the service's clock).
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from parking_blocker.contract import Desired, Occupancy, Outcome, Position, Reported


@dataclass(frozen=True, slots=True)
class Limits:
    """heartbeat_seconds: the longest silence. motion_seconds_max: when a motion counts as jammed.

    vacant_seconds: how long the sensor has to say VACANT without a break before it is believed.
    warning_seconds: how long light or sound warns before the motor starts; 0 where a blocker has neither.
    """

    heartbeat_seconds: float = 300.0
    motion_seconds_max: float = 30.0
    vacant_seconds: float = 0.0
    warning_seconds: float = 0.0


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
class Warned:
    """Light and sound warn: the motor starts towards `target` at `starts_at`, if its command still holds then.

    `by_code`: somebody has typed a code for it, which counts by the device's own clock and opens only once.
    """

    target: Position
    starts_at: datetime
    expires_at: datetime
    by_code: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of codes that were typed at the barrier.

    `raised_at` is when it was raised for whom a code may open, `last_step` the time step of the newest code that has
    opened. `opened_for` and `opened_at` are the evidence that a reservation's driver came in so, until the next RAISE.
    """

    raised_at: datetime | None = None
    wrong_codes: int = 0
    last_step: int = 0
    opened_for: str | None = None
    opened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What outlives a power cut: the newest command, what became of it, for whom was raised, and who came by a code."""

    target: Position | None
    outcome: Outcome
    seen_command_ids: tuple[str, ...]
    raised_for: str | None
    entry: Entry = Entry()


@dataclass(frozen=True, slots=True)
class Machine:
    """The whole state of one blocker.

    `target` is what the newest command asked for; None after a reboot when nobody remembers it any more.
    `raised_for` is the reservation of the last RAISE that was not refused.
    `opened_since_boot`: `entry.opened_at` was read from the clock that this program runs on.
    `code_free_at` is when a code is looked at again after wrong ones; None after a power cut.
    `occupancy` is what is believed of the sensor: VACANT only after `vacant_since` has lasted long enough.
    `online` means that the shadow was read since the last connect: before that nothing is reported, because the
    report would wipe out the outcome that the shadow remembers for us across a reboot.
    Not more than one of `motion` and `warned` is there.
    """

    limits: Limits
    readings: Readings
    occupancy: Occupancy = Occupancy.UNKNOWN
    vacant_since: datetime | None = None
    motion: Motion | None = None
    warned: Warned | None = None
    target: Position | None = None
    outcome: Outcome | None = None
    seen_command_ids: tuple[str, ...] = ()
    raised_for: str | None = None
    entry: Entry = Entry()
    opened_since_boot: bool = False
    code_free_at: datetime | None = None
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
    """Time has passed (see `controller.next_tick_at`)."""

    now: datetime


@dataclass(frozen=True, slots=True)
class ClockCorrected:
    """The clock was put right `by` this much: durations that run move with it, what the service said does not."""

    now: datetime
    by: timedelta


@dataclass(frozen=True, slots=True)
class ReportLost:
    """The service did not take the last report."""

    now: datetime


@dataclass(frozen=True, slots=True)
class CodeTyped:
    """Somebody has typed a code. `secrets` are the blocker's own.

    `clock_is_set`: the service has said what time it is since this program began.
    """

    now: datetime
    code: str
    secrets: tuple[str, ...] = field(repr=False)
    clock_is_set: bool


type Event = ConnectionLost | ShadowRead | ReadingsChanged | Obstructed | Tick | ClockCorrected | ReportLost | CodeTyped


class Verdict(StrEnum):
    """What becomes of a code. WRONG is also one of another reservation, an old one, and one that has opened before."""

    OPENS = "OPENS"
    WRONG = "WRONG"
    TOO_OFTEN = "TOO_OFTEN"
    FOR_NOBODY = "FOR_NOBODY"


@dataclass(frozen=True, slots=True)
class Warn:
    """Let light and sound warn until the next Stop."""


@dataclass(frozen=True, slots=True)
class StartRaising:
    """Run the motor upwards."""


@dataclass(frozen=True, slots=True)
class StartLowering:
    """Run the motor downwards."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop the motor where it is, and the warning."""


@dataclass(frozen=True, slots=True)
class Remember:
    """Write this where a power cut does not reach it, before the next action is carried out."""

    memory: Memory


@dataclass(frozen=True, slots=True)
class Report:
    """Send this as the shadow's reported state."""

    reported: Reported


@dataclass(frozen=True, slots=True)
class Answer:
    """Tell what became of the code that was typed."""

    verdict: Verdict


type MotorAction = Warn | StartRaising | StartLowering | Stop
type Action = MotorAction | Remember | Report | Answer
