"""What the blocker was told for a stay, and what it said: kept with the stay, because its own history is short."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from parking.domain.blocker import Command, CommandStatus, Position, RejectReason, Result
from parking.domain.ids import CommandId

FIRST_KEPT = 10  # how it began
LAST_KEPT = 30  # and how it ended; a barrier that refuses each minute of a week is not to outgrow its item


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One command: what was asked when, what became of it, and what the device said of it (None: nothing)."""

    command_id: CommandId
    position: Position
    asked_at: datetime
    expires_at: datetime
    status: CommandStatus
    ended_at: datetime | None
    answer: Result | None
    reason: RejectReason | None
    answered_at: datetime | None

    @property
    def late(self) -> bool:
        """True if the device answered when we had stopped waiting."""
        return self.answered_at is not None and self.answered_at >= self.expires_at


@dataclass(frozen=True, slots=True)
class Log:
    """The commands of one stay, the oldest first. Of more than forty those in the middle are only counted."""

    entries: tuple[Evidence, ...] = ()
    left_out: int = 0

    def recording(self, commands: Iterable[Command]) -> "Log":
        """With these commands as they are now, each of which may be known already."""
        known = {one.command_id: one for one in self.entries}
        for command in commands:
            known[command.command_id] = _evidence(command)
        entries = tuple(known.values())
        if len(entries) <= FIRST_KEPT + LAST_KEPT:
            return Log(entries, self.left_out)
        kept = (*entries[:FIRST_KEPT], *entries[-LAST_KEPT:])
        return Log(kept, self.left_out + len(entries) - len(kept))


NOTHING_TOLD = Log()


def _evidence(command: Command) -> Evidence:
    return Evidence(
        command_id=command.command_id,
        position=command.position,
        asked_at=command.created_at,
        expires_at=command.expires_at,
        status=command.status,
        ended_at=command.ended_at,
        answer=command.answer,
        reason=command.reason,
        answered_at=command.answered_at,
    )
