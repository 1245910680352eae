"""UTC as the service sees it, on a device whose own clock may be wrong (no battery, no NTP on the site)."""

import time
from datetime import UTC, datetime, timedelta

# The shadow's timestamps are whole seconds and travel for a while: below this difference our clock is the better one.
TOLERANCE_SECONDS = 2.0


class ServiceClock:
    """Runs on the monotonic clock from a start that the service's timestamps correct."""

    def __init__(self) -> None:
        self._origin = datetime.now(UTC) - timedelta(seconds=time.monotonic())

    def now(self) -> datetime:
        """UTC, corrected."""
        return self._origin + timedelta(seconds=time.monotonic())

    def correct(self, service_time: datetime) -> None:
        """Take over the service's time if ours differs by more than the tolerance."""
        difference = service_time - self.now()
        if abs(difference.total_seconds()) > TOLERANCE_SECONDS:
            self._origin += difference
