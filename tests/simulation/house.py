"""Where the simulated events go in: the services themselves, or the functions in front of them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

from tests.simulation import doors
from tests.simulation.api_calls import ApiCall
from tests.simulation.watched_store import IndexedStore, WatchedStore


class House(Protocol):
    """What stands between an event and the domain."""

    def behind(self, watched: WatchedStore) -> IndexedStore:
        """The store that the code under test is given."""
        ...

    def answer(self, ports: doors.Ports, call: ApiCall, now: datetime) -> Any:
        """What a driver's request is answered. Raises what the use case raises."""
        ...

    def handle(self, ports: doors.Ports, kind: str, payload: Any, at: datetime) -> None:
        """Hand an event to its function. Raises what the function raises."""
        ...


DOORS: dict[str, Callable[[doors.Ports, Any, datetime], None]] = {
    "reservation changed": doors.reservation_changed,
    "notice made": doors.notice_made,
    "payment changed": doors.payment_changed,
    "shadow updated": doors.shadow_updated,
    "presence": doors.presence_changed,
    "webhook": doors.webhook,
    "tick": doors.tick,
}


class MemoryHouse:
    """The services on the in-memory twins: fast enough for millions of events."""

    def behind(self, watched: WatchedStore) -> IndexedStore:
        """See House."""
        return watched

    def answer(self, ports: doors.Ports, call: ApiCall, now: datetime) -> Any:
        """See House."""
        return call.run(ports, call.request, now)

    def handle(self, ports: doors.Ports, kind: str, payload: Any, at: datetime) -> None:
        """See House."""
        DOORS[kind](ports, payload, at)


MEMORY = MemoryHouse()
