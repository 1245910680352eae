"""The documents of the named shadow `barrier` (design, section 7)."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from parking.domain.blocker import Command, Occupancy, Position, RejectReason, Report, Result
from parking.domain.ids import CommandId, ReservationId
from parking.services.ports import ShadowDocument

SHADOW_NAME = "barrier"
_PERCENT_MAX = 100


def desired_of(command: Command) -> dict[str, str | None]:
    """The `desired` section that tells a device the command. The shadow drops a key whose value is None."""
    return {
        "position": command.position.value,
        "command_id": command.command_id,
        "reservation_id": command.reservation_id,
        "expires_at": command.expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def document_from(document: Mapping[str, Any]) -> ShadowDocument:
    """A whole shadow document: the answer to a get, or `current` of an update's documents.

    The section's newest timestamp, which AWS sets, says when the report came in.
    """
    reported = _section(document, "state", "reported")
    received_at_seconds = max(_timestamps(_section(document, "metadata", "reported")), default=None)
    command_id = _text(_section(document, "state", "desired").get("command_id"))
    return ShadowDocument(
        version=int(document["version"]),
        report=report_from(reported, datetime.fromtimestamp(received_at_seconds, UTC)) if received_at_seconds else None,
        desired_command_id=CommandId(command_id) if command_id else None,
    )


def report_from(reported: Mapping[str, Any], received_at: datetime) -> Report:
    """What a device says of itself. What it says badly, or not at all, is unknown; nothing that it says is an error."""
    return Report(
        position=_member(Position, reported.get("position")) or Position.UNKNOWN,
        occupancy=_member(Occupancy, reported.get("occupancy")) or Occupancy.UNKNOWN,
        command_id=CommandId(command_id) if (command_id := _text(reported.get("command_id"))) else None,
        result=_member(Result, reported.get("result")),
        reason=_member(RejectReason, reported.get("reason")),
        battery_percent=_percent(reported.get("battery_percent")),
        tamper=reported.get("tamper") is True,
        manual_override=reported.get("manual_override") is True,
        firmware=_text(reported.get("firmware")),
        at=_instant(reported.get("at")),
        opened_for=ReservationId(opened_for) if (opened_for := _text(reported.get("opened_for"))) else None,
        opened_at=_instant(reported.get("opened_at")),
        received_at=received_at,
    )


def _section(document: Mapping[str, Any], outer: str, inner: str) -> Mapping[str, Any]:
    section = (document.get(outer) or {}).get(inner)
    return section if isinstance(section, Mapping) else {}


def _timestamps(metadata: Any) -> Iterator[int]:
    """Every timestamp in a section's metadata, which has the shape of the section, in seconds since 1970."""
    if isinstance(metadata, Mapping):
        for name, value in metadata.items():
            if name == "timestamp" and isinstance(value, int):
                yield value
            else:
                yield from _timestamps(value)
    elif isinstance(metadata, list):
        for value in metadata:
            yield from _timestamps(value)


def _member[E: StrEnum](members: type[E], value: Any) -> E | None:
    return members(value) if isinstance(value, str) and value in members else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _percent(value: Any) -> int | None:
    # A bool is an int in Python, but no percentage.
    return value if type(value) is int and 0 <= value <= _PERCENT_MAX else None


def _instant(value: Any) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value)
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None
