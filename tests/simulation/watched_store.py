"""The in-memory store, watched: every commit is shown to the world with what stood there before."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from parking.adapters.memory.store import MemoryStore
from parking.domain.due import Step
from parking.domain.reservation import Reservation
from parking.services.ports import Aggregate, DueItem, Store

Change = tuple[Aggregate | None, Aggregate]


class IndexedStore(Store, Protocol):
    """A store whose due index may be looked at as it was."""

    def stale_due(self, step: Step) -> Iterator[list[DueItem]]:
        """What the index showed at the last look."""
        ...


class WatchedStore(MemoryStore):
    """`on_commit` gets the items of each commit, before and after."""

    def __init__(self, on_commit: Callable[[list[Change]], None]) -> None:
        super().__init__()
        self._on_commit = on_commit
        self._last_due: dict[Step, list[list[DueItem]]] = {}

    def commit(self, *saves: Aggregate, unchanged: Sequence[Aggregate] = ()) -> None:
        """See Store."""
        before = [self._items[type(item)].get(item.key) for item in saves]
        super().commit(*saves, unchanged=unchanged)
        after = [self._items[type(item)][item.key] for item in saves]
        self._on_commit(list(zip(before, after, strict=True)))

    def due(self, step: Step, now: datetime) -> Iterator[list[DueItem]]:
        """See Store; what is shown is kept for `stale_due`."""
        self._last_due[step] = list(super().due(step, now))
        return iter(self._last_due[step])

    def first_due(self, step: Step, now: datetime) -> DueItem | None:
        """What stands in the index and waits longest, without a look that anybody would remember."""
        waiting = self._due[step]
        return min((DueItem(at, key) for key, at in waiting.items() if at <= now), default=None) if waiting else None

    def stale_due(self, step: Step) -> Iterator[list[DueItem]]:
        """What the index showed at the last look: it is eventually consistent."""
        return iter(self._last_due.get(step, ()))

    def all_of[A: Aggregate](self, kind: type[A]) -> list[A]:
        """Every item of a kind, in the order of their making."""
        return self._all(kind)

    @property
    def reservations(self) -> list[Reservation]:
        """Every reservation, in the order of their making."""
        return self._all(Reservation)
