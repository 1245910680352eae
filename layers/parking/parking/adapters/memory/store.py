"""The tables as a dictionary under a lock."""

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from datetime import date, datetime
from functools import cache
from itertools import batched
from operator import attrgetter
from typing import Any, cast

from parking.adapters.commit_plan import plan_commit
from parking.adapters.due_kinds import TIMED
from parking.adapters.limits import DUE_BATCH, check_number_of_items
from parking.adapters.listing import decode_cursor, encode_cursor, is_wanted, position_of
from parking.domain.area import Area, Rank
from parking.domain.audit import AuditEntry
from parking.domain.blocker import Blocker
from parking.domain.calendar import Calendar, CalendarDay
from parking.domain.due import Step
from parking.domain.health import Health
from parking.domain.ids import BlockerId, SpotId, UserId
from parking.domain.ledger import Transaction
from parking.domain.notification import PushDevice
from parking.domain.spot import Spot
from parking.services.ports import Aggregate, Conflict, DueItem, Erasable, Key, Page


class MemoryStore:
    """Store: aggregates are frozen, so what was read never changes under the reader; a commit is one step for all."""

    def __init__(self) -> None:
        self._items: dict[type[Any], dict[Key, Aggregate]] = defaultdict(dict)
        self._due: dict[Step, dict[Key, datetime]] = defaultdict(dict)
        """The sparse index: only what has something outstanding stands here, as in the index `due` of DynamoDB."""
        self._lock = threading.Lock()

    def get[A: Aggregate](self, kind: type[A], *key: str) -> A | None:
        """One item by its whole key."""
        return cast("A | None", self._items[kind].get(key))

    def get_many[A: Aggregate](self, kind: type[A], keys: Sequence[Key]) -> list[A]:
        """The items that exist of these keys, in the order of the keys. At most 100."""
        check_number_of_items(len(keys))
        of_kind = self._items[kind]
        return [cast("A", item) for key in keys if (item := of_kind.get(tuple(key))) is not None]

    def calendar(self, spot_id: SpotId, days: Sequence[date]) -> Calendar:
        """These consecutive days."""
        stored = cast("dict[Key, CalendarDay]", self._items[CalendarDay])
        return Calendar(
            spot_id, tuple(stored.get((spot_id, day.isoformat())) or CalendarDay(spot_id, day) for day in days)
        )

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
        """A driver's items, newest first. Raises InvalidCursor."""
        after = decode_cursor(kind, user_id, cursor) if cursor is not None else None
        listed = [
            (position_of(item), item)
            for item in self._all(kind)
            if item.key[0] == user_id and is_wanted(item, status, unread)
        ]
        listed = sorted((entry for entry in listed if after is None or entry[0] < after), key=_position, reverse=True)
        shown = listed[:limit]
        following = encode_cursor(kind, user_id, shown[-1][0]) if len(listed) > limit else None
        return Page([item for _, item in shown], following)

    def push_devices(self, user_id: UserId) -> list[PushDevice]:
        """All devices of a driver."""
        return sorted((d for d in self._all(PushDevice) if d.user_id == user_id), key=lambda device: device.device_id)

    def audit(self, blocker_id: BlockerId, limit: int) -> list[AuditEntry]:
        """The latest entries of a blocker, newest first."""
        entries = [entry for entry in self._all(AuditEntry) if entry.blocker_id == blocker_id]
        return sorted(entries, key=lambda entry: entry.entry_id, reverse=True)[:limit]

    def spots_near(self, area: Area, after: Rank | None = None) -> Iterator[Spot]:
        """Every spot in the area that ranks behind `after`, by rank."""
        ranked = {Rank.of(spot, area): spot for spot in self._all(Spot) if area.contains(spot.location)}
        return iter([ranked[rank] for rank in sorted(ranked) if after is None or rank > after])

    def stripe_transactions(self, day: date) -> Iterator[Transaction]:
        """Every transaction of a UTC day that has a side at Stripe."""
        yield from (one for one in self._all(Transaction) if one.stripe_id and one.created_at.date() == day)

    def due(self, step: Step, now: datetime) -> Iterator[list[DueItem]]:
        """What has this as its next step and whose time has come, the longest due first."""
        with self._lock:
            waiting = [DueItem(at, key) for key, at in self._due[step].items() if at <= now]
        return map(list, batched(sorted(waiting), DUE_BATCH, strict=False))

    def blockers_by_health(self) -> Counter[Health]:
        """How many blockers there are in each health."""
        return Counter(blocker.watch.health for blocker in self._all(Blocker))

    def commit(self, *saves: Aggregate, unchanged: Sequence[Aggregate] = ()) -> None:
        """Write all of `saves` or nothing. Raises Conflict."""
        plan = plan_commit(saves, unchanged)
        with self._lock:
            for item in (*plan.saves, *plan.checks):
                stored = self._items[type(item)].get(item.key)
                if (stored.version if stored else 0) != item.version:
                    raise Conflict(f"{type(item).__name__} {item.key} is not at version {item.version}")
            for item in plan.saves:
                self._write(_next_version(item))

    def forget(self, item: Erasable) -> None:
        """Delete it, if it still is what was read."""
        with self._lock:
            stored = self._items[type(item)].get(item.key)
            if stored and stored.version == item.version:
                del self._items[type(item)][item.key]

    def _write(self, item: Aggregate) -> None:
        of_kind = self._items[type(item)]
        if isinstance(item, TIMED):
            before = of_kind.get(item.key)
            if isinstance(before, TIMED) and (over := before.due):
                del self._due[over.step][item.key]
            if due := item.due:
                self._due[due.step][item.key] = due.at
        of_kind[item.key] = item

    def _all[A: Aggregate](self, kind: type[A]) -> list[A]:
        with self._lock:
            return cast("list[A]", list(self._items[kind].values()))


@cache
def _slots(kind: type[Any]) -> tuple[Callable[[Any], tuple[Any, ...]], list[Callable[[Any, Any], None]]]:
    names = [one.name for one in fields(kind)]
    return attrgetter(*names), [getattr(kind, name).__set__ for name in names]


def _next_version[A: Aggregate](item: A) -> A:
    """What `replace` makes, slot by slot and in a quarter of the time: a long simulation commits millions of items."""
    kind: Any = type(item)  # mypy does not know that a class is hashable
    values_of, setters = _slots(kind)
    copy = object.__new__(kind)
    for put, value in zip(setters, values_of(item), strict=True):
        put(copy, value)
    kind.version.__set__(copy, item.version + 1)
    return cast("A", copy)


def _position[A: Aggregate](entry: tuple[tuple[str, ...], A]) -> tuple[str, ...]:
    return entry[0]
