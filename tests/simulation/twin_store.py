"""The in-memory store and DynamoDB side by side: what one answers, the other has to answer too."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from parking.adapters.dynamodb.store import DynamoStore
from parking.domain.area import Area, Rank
from parking.domain.audit import AuditEntry
from parking.domain.calendar import Calendar
from parking.domain.due import Step
from parking.domain.health import Health
from parking.domain.ids import BlockerId, SpotId, UserId
from parking.domain.ledger import Transaction
from parking.domain.notification import PushDevice
from parking.domain.spot import Spot
from parking.services.ports import Aggregate, Conflict, DueItem, Erasable, Key, Page
from tests.simulation.violation import Violation
from tests.simulation.watched_store import WatchedStore


class TwinStore:
    """Store on both. Raises Violation where they differ."""

    def __init__(self, watched: WatchedStore, dynamo: DynamoStore) -> None:
        self._watched = watched
        self._dynamo = dynamo

    def get[A: Aggregate](self, kind: type[A], *key: str) -> A | None:
        """See Store."""
        return _same(f"get {key}", self._watched.get(kind, *key), self._dynamo.get(kind, *key))

    def get_many[A: Aggregate](self, kind: type[A], keys: Sequence[Key]) -> list[A]:
        """See Store."""
        return _same(f"get_many {keys}", self._watched.get_many(kind, keys), self._dynamo.get_many(kind, keys))

    def calendar(self, spot_id: SpotId, days: Sequence[date]) -> Calendar:
        """See Store."""
        return _same("calendar", self._watched.calendar(spot_id, days), self._dynamo.calendar(spot_id, days))

    def page[A: Aggregate](
        self,
        kind: type[A],
        user_id: UserId,
        *,
        limit: int,
        cursor: str | None = None,
        status: str | None = None,
        unread: bool = False,
    ) -> Page[A]:
        """See Store."""
        wish: dict[str, Any] = {"limit": limit, "cursor": cursor, "status": status, "unread": unread}
        return _same("page", self._watched.page(kind, user_id, **wish), self._dynamo.page(kind, user_id, **wish))

    def push_devices(self, user_id: UserId) -> list[PushDevice]:
        """See Store."""
        return _same("push_devices", self._watched.push_devices(user_id), self._dynamo.push_devices(user_id))

    def audit(self, blocker_id: BlockerId, limit: int) -> list[AuditEntry]:
        """See Store."""
        return _same("audit", self._watched.audit(blocker_id, limit), self._dynamo.audit(blocker_id, limit))

    def spots_near(self, area: Area, after: Rank | None = None) -> Iterator[Spot]:
        """See Store."""
        in_memory = list(self._watched.spots_near(area, after))
        yield from _same("spots_near", in_memory, list(self._dynamo.spots_near(area, after)))

    def stripe_transactions(self, day: date) -> Iterator[Transaction]:
        """See Store; in no promised order."""
        in_memory = sorted(self._watched.stripe_transactions(day), key=_address)
        in_dynamo = sorted(self._dynamo.stripe_transactions(day), key=_address)
        yield from _same(f"stripe_transactions {day}", in_memory, in_dynamo)

    def due(self, step: Step, now: datetime) -> Iterator[list[DueItem]]:
        """See Store."""
        yield from _same(f"due {step}", list(self._watched.due(step, now)), list(self._dynamo.due(step, now)))

    def stale_due(self, step: Step) -> Iterator[list[DueItem]]:
        """What the in-memory twin showed at the last look."""
        return self._watched.stale_due(step)

    def blockers_by_health(self) -> Counter[Health]:
        """See Store."""
        return _same("blockers_by_health", self._watched.blockers_by_health(), self._dynamo.blockers_by_health())

    def commit(self, *saves: Aggregate, unchanged: Sequence[Aggregate] = ()) -> None:
        """See Store."""
        in_dynamo = _conflict(lambda: self._dynamo.commit(*saves, unchanged=unchanged))
        in_memory = _conflict(lambda: self._watched.commit(*saves, unchanged=unchanged))
        if _same("commit", in_memory is None, in_dynamo is None) is False and in_memory:
            raise in_memory

    def forget(self, item: Erasable) -> None:
        """See Store."""
        self._dynamo.forget(item)
        self._watched.forget(item)


def _address(transaction: Transaction) -> Key:
    return transaction.key


def _conflict(commit: Callable[[], None]) -> Conflict | None:
    try:
        commit()
    except Conflict as conflict:
        return conflict
    return None


def _same[T](asked: str, in_memory: T, in_dynamo: T) -> T:
    if in_memory != in_dynamo:
        raise Violation(0, f"{asked}: the twin says {in_memory}, DynamoDB {in_dynamo}")
    return in_dynamo
