"""What operators did: one entry for each word of theirs, never changed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from parking.domain.ids import BlockerId, timed_id


class Action(StrEnum):
    """What an operator can ask of a spot and its blocker."""

    LOWER = "LOWER"
    RAISE = "RAISE"
    RESYNC = "RESYNC"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"
    IN_SERVICE = "IN_SERVICE"
    NEW_CODE = "NEW_CODE"
    ROTATE = "ROTATE"
    COMPLETE = "COMPLETE"
    CUT_OFF = "CUT_OFF"


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
    """Made of the time and the request: entries of a blocker sort by time, and no two are one."""
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
    return AuditEntry(
        blocker_id=blocker_id,
        entry_id=timed_id("aud", word.at, word.request_id, action),
        action=action,
        word=word,
        change=change,
    )
