"""When a function was invoked by hand or by IoT's registry: such an event brings no time of its own."""

from datetime import UTC, datetime


def invoked_at() -> datetime:
    """Now. What is audited is not the operator's to date."""
    return datetime.now(UTC)
