"""What operators did: one entry for each word of theirs, never changed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from parking.domain.ids import BlockerId


class Action(StrEnum):
    """What an operator can ask of a spot and its blocker."""

    LOWER = "LOWER"
    RAISE = "RAISE"
    RESYNC = "RESYNC"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"
    IN_SERVICE = "IN_SERVICE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """Who asks, why and when. `request_id` is the invocation's, by which CloudTrail knows the caller."""

    operator: str
    reason: str
    request_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One word of an operator and what it changed; it is written in the same commit as the change."""

    blocker_id: BlockerId
    entry_id: str
    """The time and the request: entries of a blocker sort by time, and no two are one."""
    action: Action
    word: Word
    change: str
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.blocker_id, self.entry_id)


def entry(blocker_id: BlockerId, action: Action, word: Word, change: str) -> AuditEntry:
    """The entry of a word."""
    at = word.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return AuditEntry(
        blocker_id=blocker_id, entry_id=f"{at}#{word.request_id}", action=action, word=word, change=change
    )
