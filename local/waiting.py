"""Wait for a condition, never for luck."""

import time
from collections.abc import Callable

from local.errors import LocalError

POLL_SECONDS = 0.05


def wait_until(
    condition: Callable[[], bool],
    what: str,
    *,
    timeout_seconds: float,
    poll_seconds: float = POLL_SECONDS,
    check: Callable[[], None] | None = None,
) -> None:
    """Return when the condition holds; LocalError after the timeout. `check` may raise at every look."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if check is not None:
            check()
        if time.monotonic() > deadline:
            raise LocalError(f"Waited {timeout_seconds:.0f} s for {what}, in vain.")
        time.sleep(poll_seconds)
