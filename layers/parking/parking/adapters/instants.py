"""Instants as text of a fixed width, so that they sort as they follow each other."""

from datetime import UTC, datetime


def instant_text(instant: datetime) -> str:
    """2026-01-31T09:30:00.000000Z. Raises ValueError for a naive time."""
    if instant.tzinfo is None:
        raise ValueError(f"naive time: {instant}")
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def instant_of(text: str) -> datetime:
    """The instant of such a text. Raises ValueError."""
    return datetime.fromisoformat(text).astimezone(UTC)
