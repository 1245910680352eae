"""The blocker: what it reported, what it was told, and the one function that says what to tell it next."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from parking.domain.due import Due, Step
from parking.domain.health import NEVER_SEEN, Watch
from parking.domain.ids import BlockerId, CommandId, ReservationId, SpotId, UserId, derived_id

COMMAND_LIFETIME = timedelta(minutes=2)  # a device drops a command that is older
RETRY_AFTER = timedelta(seconds=30)  # between two attempts at the same position, so that refusals cannot spin
MOST_DOUBLINGS = 4  # then it is tried every 8 minutes
REPORT_FRESH_FOR = timedelta(minutes=15)  # three heartbeats of the device (docs/device.md)
VERSION_RESETS_AFTER = timedelta(minutes=30)  # half of what AWS takes, and far longer than a take-over
UNKNOWN_CONNECTION = -1  # AWS counts from 0; a connection that only a report has shown has no number yet
HISTORY_LENGTH = 10


class Position(StrEnum):
    """Where the barrier is, or is to be."""

    RAISED = "RAISED"
    LOWERED = "LOWERED"
    MOVING = "MOVING"
    UNKNOWN = "UNKNOWN"


class Occupancy(StrEnum):
    """What the sensor sees. UNKNOWN counts as occupied."""

    VACANT = "VACANT"
    OCCUPIED = "OCCUPIED"
    UNKNOWN = "UNKNOWN"


class Connectivity(StrEnum):
    """Whether the device is connected to the broker."""

    ONLINE = "ONLINE"
    OFFLINE = "OFFLINE"


class CommandStatus(StrEnum):
    """TIMED_OUT means unknown, not failed: a late report still counts."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    REJECTED = "REJECTED"
    TIMED_OUT = "TIMED_OUT"
    SUPERSEDED = "SUPERSEDED"


class Result(StrEnum):
    """What the device made of the command that it names."""

    DONE = "DONE"
    REJECTED = "REJECTED"


class RejectReason(StrEnum):
    """Why the device refused."""

    OCCUPIED = "OCCUPIED"
    OBSTRUCTED = "OBSTRUCTED"
    EXPIRED = "EXPIRED"
    LOW_BATTERY = "LOW_BATTERY"
    MANUAL_OVERRIDE = "MANUAL_OVERRIDE"
    SENSOR_FAULT = "SENSOR_FAULT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the device last said of itself; `received_at` is the shadow's clock, `at` the device's own."""

    position: Position
    occupancy: Occupancy
    command_id: CommandId | None
    result: Result | None
    reason: RejectReason | None
    battery_percent: int | None
    tamper: bool
    manual_override: bool
    firmware: str | None
    at: datetime | None
    opened_for: ReservationId | None = None
    """The reservation whose driver has lowered the barrier by a code, since it was last raised."""
    opened_at: datetime | None = None
    """When that was by the device's own clock, which may have been wrong."""
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One wish to move the barrier. The driver is in it so that an answer leads back to the reservation."""

    command_id: CommandId
    position: Position
    user_id: UserId | None
    reservation_id: ReservationId | None
    created_at: datetime
    expires_at: datetime
    status: CommandStatus = CommandStatus.PENDING
    ended_at: datetime | None = None
    answer: Result | None = None
    """What the device said of it, which may come after it has timed out or was superseded."""
    reason: RejectReason | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The position that the world asks for, for whom, and since when (None: the idle position)."""

    position: Position
    user_id: UserId | None = None
    reservation_id: ReservationId | None = None
    reported_after: datetime | None = None
    """A report older than this does not count as an answer: the driver's arrival."""

    @property
    def guards(self) -> bool:
        """True if the barrier is to keep the spot for a reservation."""
        return self.position is Position.RAISED and self.reservation_id is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """An operator's word that stands above the reservations for a while; kept as evidence of who and why."""

    position: Position
    operator: str
    reason: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """The device of a spot, as far as its last shadow document tells."""

    blocker_id: BlockerId
    spot_id: SpotId
    certificate_id: str | None = None
    connectivity: Connectivity = Connectivity.OFFLINE
    presence_at: datetime | None = None
    presence_version: int = UNKNOWN_CONNECTION
    """The number of the newest connection that IoT told of."""
    shadow_version: int = 0
    report: Report | None = None
    command: Command | None = None
    history: tuple[Command, ...] = ()
    commands_sent: int = 0
    override: Override | None = None
    watch: Watch = NEVER_SEEN
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.blocker_id,)

    @property
    def due(self) -> Due | None:
        """When to look after it again; None where nothing happens before it speaks."""
        return Due(self.watch.due_at, Step.WATCH) if self.watch.due_at else None

    @property
    def position(self) -> Position:
        """Where the barrier is by the last report."""
        return self.report.position if self.report else Position.UNKNOWN

    def occupancy(self, now: datetime) -> Occupancy:
        """What the sensor sees now: UNKNOWN unless the device is connected and its report is fresh."""
        return self.report.occupancy if self.report and self.is_heard(now) else Occupancy.UNKNOWN

    def is_heard(self, now: datetime) -> bool:
        """True if the device is connected and its report is fresh."""
        if self.report is None or self.connectivity is Connectivity.OFFLINE:
            return False
        return now - self.report.received_at <= REPORT_FRESH_FOR

    @property
    def commands(self) -> tuple[Command, ...]:
        """What it was told, as far as it remembers, the newest last."""
        return (*self.history, self.command) if self.command else self.history

    @property
    def acknowledged(self) -> bool:
        """True if the device has named the current command in a report: it need not be sent again."""
        return bool(self.command and self.report and self.report.command_id == self.command.command_id)

    @property
    def last_served(self) -> Command | None:
        """The last command that was given for a stay, operators' words and the idle position left out.

        A spot that is seen vacant ahead of a stay gets one for it at once: as long as this one names an earlier stay,
        the car that is seen has been there since that one.
        """
        return next((one for one in reversed(self.commands) if one.reservation_id), None)

    def guards(self, reservation_id: ReservationId) -> bool:
        """True if the barrier stands for this very reservation, by the machine's own answer."""
        command = self.command
        if command is None or command.reservation_id != reservation_id or self.position is not Position.RAISED:
            return False
        return command.position is Position.RAISED and command.status is CommandStatus.SUCCEEDED

    def no_earlier(self, now: datetime) -> datetime:
        """`now`, or what the blocker has already seen if a late trigger is behind that: time does not run back."""
        seen = [now]
        if self.report:
            seen.append(self.report.received_at)
        if self.commands:  # also one that was set aside since: what replaces it is newer
            seen.append(self.commands[-1].created_at)
        return max(seen)

    def may_raise(self, now: datetime) -> bool:
        """RAISE only onto a spot that is VACANT by a fresh report (design, section 7)."""
        return self.occupancy(now) is Occupancy.VACANT


def receive(blocker: Blocker, report: Report, shadow_version: int) -> Blocker:
    """The blocker after a shadow document. A document that is not newer than the last one changes nothing."""
    if shadow_version <= blocker.shadow_version:
        return blocker
    if blocker.connectivity is Connectivity.OFFLINE and (
        blocker.presence_at is None or report.received_at > blocker.presence_at
    ):
        # Who reports is connected, even if the presence event is still on its way or was lost.
        blocker = replace(
            blocker,
            connectivity=Connectivity.ONLINE,
            presence_at=report.received_at,
            presence_version=_connection_after(blocker, report.received_at),
        )
    return replace(
        blocker,
        report=report,
        shadow_version=shadow_version,
        command=_answered(blocker.command, report) if blocker.command else None,
        history=tuple(_answered(past, report) for past in blocker.history),
    )


def _answered(command: Command, report: Report) -> Command:
    """The command with what the device says of it, if it is this one that the report answers for the first time.

    A timeout meant unknown: the answer decides, also when another command has followed since. What was superseded stays
    so, and what the device made of it is kept as evidence.
    """
    if report.result is None or report.command_id != command.command_id or command.answer is not None:
        return command
    said = replace(command, answer=report.result, reason=report.reason, answered_at=report.received_at)
    if command.status not in (CommandStatus.PENDING, CommandStatus.TIMED_OUT):
        return said
    done = report.result is Result.DONE
    return replace(
        said, status=CommandStatus.SUCCEEDED if done else CommandStatus.REJECTED, ended_at=report.received_at
    )


def see_presence(blocker: Blocker, connectivity: Connectivity, at: datetime, version: int) -> Blocker:
    """The blocker after a connect or disconnect, which come twice and out of order.

    `version` is AWS's versionNumber: it grows with each connection of the client and begins anew after about an hour
    without one (AWS IoT, "Lifecycle events"). A connection's two events share it.
    """
    if _is_old_presence(blocker, connectivity, at, version):
        return blocker
    known_at = blocker.presence_at or at
    return replace(blocker, connectivity=connectivity, presence_at=max(at, known_at), presence_version=version)


def _connection_after(blocker: Blocker, at: datetime) -> int:
    """The number of the connection that only a report has shown: the next one, or unknown if the count began anew."""
    known_at = blocker.presence_at
    if known_at is None or blocker.presence_version == UNKNOWN_CONNECTION or at - known_at >= VERSION_RESETS_AFTER:
        return UNKNOWN_CONNECTION
    return blocker.presence_version + 1


def _is_old_presence(blocker: Blocker, connectivity: Connectivity, at: datetime, version: int) -> bool:
    if blocker.presence_at is None:
        return False
    if blocker.presence_version == UNKNOWN_CONNECTION:
        return at <= blocker.presence_at
    if version == blocker.presence_version:  # what has ended does not begin again
        return connectivity is Connectivity.ONLINE and blocker.connectivity is Connectivity.OFFLINE
    # A lower number is an older connection's end, unless the numbers have begun anew since.
    return version < blocker.presence_version and at - blocker.presence_at < VERSION_RESETS_AFTER


def steer(blocker: Blocker, wanted: Wanted, now: datetime) -> Blocker:
    """The blocker with the command that the wanted position needs now, or as it was if none is needed.

    Level, not edge (design, rule 5): call it at any time, as often as you like.
    """
    command = blocker.command
    if command and command.status is CommandStatus.PENDING and now >= command.expires_at:
        blocker = _ended(blocker, CommandStatus.TIMED_OUT, now)
        command = blocker.command
    if not _needs_command(blocker, wanted, now):
        return blocker
    if wanted.position is Position.RAISED and not blocker.may_raise(now):
        return blocker
    if command and command.status is CommandStatus.PENDING:
        blocker = _ended(blocker, CommandStatus.SUPERSEDED, now)
    return _commanded(blocker, wanted, now)


def start_over(blocker: Blocker, now: datetime) -> Blocker:
    """The blocker without a command that waits or that failed: what is wanted is commanded anew, at once.

    For an operator who has removed the cause; what the machine has done stays done.
    """
    command = blocker.command
    if command is None or command.status is CommandStatus.SUCCEEDED:
        return blocker
    if command.status is CommandStatus.PENDING:
        blocker = _ended(blocker, CommandStatus.SUPERSEDED, blocker.no_earlier(now))
    return replace(blocker, command=None, history=blocker.commands[-HISTORY_LENGTH:])


def _needs_command(blocker: Blocker, wanted: Wanted, now: datetime) -> bool:
    command = blocker.command
    same = (
        command is not None
        and command.position == wanted.position
        and command.reservation_id == wanted.reservation_id
        and (wanted.reported_after is None or command.created_at >= wanted.reported_after)
    )
    if command is not None and same:
        if command.status is CommandStatus.PENDING:
            return False
        if command.status is CommandStatus.TIMED_OUT and wanted.reported_after is None and not blocker.is_heard(now):
            return False  # its next word is a trigger, and then it is told; a driver who waits is not kept waiting
        arrived = command.status is CommandStatus.SUCCEEDED and blocker.position == wanted.position
        return not arrived and now - command.created_at >= _retry_after(blocker, wanted.reported_after)
    if command is not None and command.status is CommandStatus.PENDING:
        return True
    # An arrival, and a guard, want an answer of their own from the machine, even where the barrier is there already.
    wants_answer = wanted.reported_after is not None or wanted.guards
    return wants_answer or blocker.position != wanted.position


def _retry_after(blocker: Blocker, since: datetime | None) -> timedelta:
    """30 seconds, doubled with each obstruction in a row: a motor that runs against a stone is not to run all day.

    For a driver who has come, what the barrier met before that (`since`) does not count.
    """
    in_a_row = 0
    for past in reversed(blocker.commands):
        if past.reason != RejectReason.OBSTRUCTED or (since and past.created_at < since):
            break
        in_a_row += 1
    return RETRY_AFTER * (1 << min(in_a_row, MOST_DOUBLINGS))


def _commanded(blocker: Blocker, wanted: Wanted, now: datetime) -> Blocker:
    number = blocker.commands_sent + 1
    # A stream record's time is cut to the second: never let a command look older than the arrival that it answers.
    created_at = max(now, wanted.reported_after or now)
    command = Command(
        # With the time, because the count begins anew where the blocker's item was lost or is restored: the device must
        # never take a new command for one that it has carried out.
        command_id=CommandId(derived_id("cmd", blocker.blocker_id, str(number), created_at.isoformat())),
        position=wanted.position,
        user_id=wanted.user_id,
        reservation_id=wanted.reservation_id,
        created_at=created_at,
        expires_at=created_at + COMMAND_LIFETIME,
    )
    return replace(blocker, command=command, history=blocker.commands[-HISTORY_LENGTH:], commands_sent=number)


def _ended(blocker: Blocker, status: CommandStatus, at: datetime) -> Blocker:
    if blocker.command is None:
        return blocker
    return replace(blocker, command=replace(blocker.command, status=status, ended_at=at))
