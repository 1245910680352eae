"""UTC as the service sees it, on a device whose own clock may be wrong (no battery, no NTP on the site)."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

# The shadow's timestamps are whole seconds and travel for a while: below this difference our clock is the better one.
TOLERANCE_SECONDS = 2.0


class ServiceClock:
    """Runs on the monotonic clock from a start that the service's timestamps correct.

    The wall clock is asked once: somebody who sets it while the program runs changes nothing.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._origin = wall() - timedelta(seconds=monotonic())
        self.is_set = False
        """Whether the service has said what time it is: until then it is only what the computer says."""

    def now(self) -> datetime:
        """UTC, corrected."""
        return self._origin + timedelta(seconds=self._monotonic())

    def correct(self, service_time: datetime) -> timedelta:
        """Take over the service's time if ours differs by more than the tolerance; returns by how much it moved."""
        self.is_set = True
        difference = service_time - self.now()
        if abs(difference.total_seconds()) <= TOLERANCE_SECONDS:
            return timedelta(0)
        self._origin += difference
        return difference
