"""When a function runs, for the few that may ask: what was invoked brings no time of its own, and a lag needs two."""

from datetime import UTC, datetime


def invoked_at() -> datetime:
    """Now. What is audited is not the operator's to date."""
    return datetime.now(UTC)
