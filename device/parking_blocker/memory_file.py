"""The last command, on disk across power cuts: a small JSON file that is replaced as a whole or not at all.

A new content is written beside the file, flushed to the disk, renamed over it, and the rename is flushed too. A disk
that breaks this order (or a worn card) shows as a wrong checksum; the device then goes on with what its shadow holds.
"""

import json
import os
import zlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from parking_blocker.contract import Outcome, Position, Reason, Result
from parking_blocker.machine import Entry, Memory

BYTES_MAX = 64 * 1024  # thirty-two command ids of 128 characters fit several times


class MemoryLost(ValueError):
    """The file is torn, corrupt, or of another blocker."""


class MemoryStore(Protocol):
    """Keeps the last command where a power cut does not reach it."""

    def load(self) -> Memory | None:
        """What was saved last; None if nothing was ever. Raises MemoryLost, OSError."""

    def save(self, memory: Memory) -> None:
        """Returns when it is kept. Raises OSError; what was kept before is kept then."""


@dataclass(frozen=True, slots=True)
class MemoryFile:
    """One blocker's file. Its id is in it: a card that was copied to another computer tells nothing there."""

    path: Path
    blocker_id: str

    def load(self) -> Memory | None:
        """See MemoryStore."""
        try:
            with self.path.open("rb") as file:
                content = file.read(BYTES_MAX)
        except FileNotFoundError:
            return None
        try:
            document = json.loads(content)
            told = document["memory"]
            if document["crc32"] != _crc32(told):
                raise MemoryLost("the checksum is wrong")
            if told["blocker_id"] != self.blocker_id:
                raise MemoryLost(f"it is of the blocker {told['blocker_id']}")
            return _memory(told)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise MemoryLost(f"{self.path}: {error!r}") from error

    def save(self, memory: Memory) -> None:
        """See MemoryStore."""
        told = {"blocker_id": self.blocker_id, **_document(memory)}
        content = json.dumps({"crc32": _crc32(told), "memory": told}).encode()
        beside = self.path.with_suffix(".new")
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _crc32(told: object) -> int:
    return zlib.crc32(json.dumps(told, sort_keys=True).encode())


def _document(memory: Memory) -> dict[str, object]:
    return {
        "target": memory.target,
        "command_id": memory.outcome.command_id,
        "result": memory.outcome.result,
        "reason": memory.outcome.reason,
        "seen_command_ids": memory.seen_command_ids,
        "raised_for": memory.raised_for,
        "raised_at": _spoken(memory.entry.raised_at),
        "wrong_codes": memory.entry.wrong_codes,
        "last_step": memory.entry.last_step,
        "opened_for": memory.entry.opened_for,
        "opened_at": _spoken(memory.entry.opened_at),
    }


def _memory(told: dict[str, object]) -> Memory:
    """Raises KeyError, ValueError, TypeError for what `_document` never wrote (another version of the program)."""
    return Memory(
        target=Position(_text(told["target"])) if told["target"] else None,
        outcome=Outcome(
            _text(told["command_id"]),
            Result(_text(told["result"])) if told["result"] else None,
            Reason(_text(told["reason"])) if told["reason"] else None,
        ),
        seen_command_ids=tuple(_text(each) for each in _list(told["seen_command_ids"])),
        raised_for=_text(told["raised_for"]) if told["raised_for"] else None,
        entry=Entry(
            raised_at=_instant(told["raised_at"]),
            wrong_codes=_integer(told["wrong_codes"]),
            last_step=_integer(told["last_step"]),
            opened_for=_text(told["opened_for"]) if told["opened_for"] else None,
            opened_at=_instant(told["opened_at"]),
        ),
    )


def _spoken(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _instant(value: object) -> datetime | None:
    return datetime.fromisoformat(_text(value)) if value else None


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("not an integer")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value
