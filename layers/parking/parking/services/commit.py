"""Losing a race means load and decide again (design, rule 2)."""

from collections.abc import Callable

from parking.services.ports import Busy, Conflict

ATTEMPTS = 10


def until_committed[T](attempt: Callable[[], T]) -> T:
    """Run one load-decide-commit until it commits. Raises Busy after 10 lost races; nothing was written then."""
    for _ in range(ATTEMPTS):
        try:
            return attempt()
        except Conflict:
            continue
    raise Busy(f"lost {ATTEMPTS} races")
