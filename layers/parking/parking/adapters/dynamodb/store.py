"""The tables in DynamoDB."""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import partial
from typing import Any

from pynamodb.connection import Connection
from pynamodb.constants import (
    ALL_ATTRIBUTES,
    CAMEL_COUNT,
    COUNT,
    ITEM,
    ITEMS,
    KEYS,
    LAST_EVALUATED_KEY,
    RESPONSES,
    STRING,
    UNPROCESSED_KEYS,
)
from pynamodb.expressions.condition import Condition

from parking.adapters.commit_plan import plan_commit
from parking.adapters.due_kinds import kind_of
from parking.adapters.dynamodb.attributes import VersionedModel
from parking.adapters.dynamodb.blockers import BY_HEALTH, health_shards
from parking.adapters.dynamodb.calendars import CalendarDayModel
from parking.adapters.dynamodb.cells import is_finest, keys_of, nearest_first
from parking.adapters.dynamodb.due import DUE, DUE_SHARDS, due_shards
from parking.adapters.dynamodb.errors import translated
from parking.adapters.dynamodb.money import BY_STRIPE_DAY
from parking.adapters.dynamodb.reservations import ReservationModel
from parking.adapters.dynamodb.schema import BY_CREATED, shape_of, table_names
from parking.adapters.dynamodb.spots import BY_CELL, SpotModel
from parking.adapters.dynamodb.tables import Tables
from parking.adapters.instants import instant_of
from parking.adapters.limits import DUE_BATCH, check_number_of_items
from parking.adapters.listing import LISTED_BY_CREATED, Position, decode_cursor, encode_cursor, is_wanted, position_of
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
from parking.services.ports import Aggregate, Busy, Conflict, DueItem, Each, Erasable, Key, Page

CONNECT_TIMEOUT_SECONDS = 1
READ_TIMEOUT_SECONDS = 3
RETRIES_MAX = 2  # three attempts in all
BATCH_ATTEMPTS_MAX = 5
BATCH_BACKOFF_SECONDS = 0.05
FILTERED_PAGE_SIZE = 100  # looked at in one query of a filtered list
QUERIES_PER_PAGE_MAX = 10
SPOTS_PER_CELL_MAX = 50  # read at once; a fuller cell is read in its parts, the nearest first
COUNT_PAGES_MAX = 20  # of one shard: far more blockers than the system is built for
HASH_KEY_BYTES_MAX = 2048
RANGE_KEY_BYTES_MAX = 1024

_Item = dict[str, Any]
_Shard = tuple[str, dict[str, str] | None]
"""A hash key of the due index, and behind which item to go on."""


def _nobody(_: Sequence[Aggregate]) -> None:
    """Who is told of a commit, if nobody is."""


class DynamoStore:
    """Store. One connection serves all tables, because every client of its own would cost a cold start.

    `each` reads the shards of the due index: one after another, or all at once. `tell` hears what was committed.
    """

    def __init__(self, tables: Tables, each: Each = map, tell: Callable[[Sequence[Aggregate]], None] = _nobody) -> None:
        self._tables = table_names(tables)
        self._each = each
        self._tell = tell
        self._connection = Connection(
            connect_timeout_seconds=CONNECT_TIMEOUT_SECONDS,
            read_timeout_seconds=READ_TIMEOUT_SECONDS,
            max_retry_attempts=RETRIES_MAX,
        )
        for kind, table in self._tables.items():
            self._connection.add_meta_table(shape_of(kind).meta_table(table))

    def get[A: Aggregate](self, kind: type[A], *key: str) -> A | None:
        """One item by its whole key. Raises Busy."""
        if not _could_exist(key):
            return None
        with translated():
            hash_key, range_key = _split(key)
            answer = self._connection.get_item(self._tables[kind], hash_key, range_key, consistent_read=True)
        return shape_of(kind).aggregate(answer[ITEM]) if ITEM in answer else None

    def get_many[A: Aggregate](self, kind: type[A], keys: Sequence[Key]) -> list[A]:
        """The items that exist of these keys, in the order of the keys. At most 100. Raises Busy."""
        check_number_of_items(len(keys))
        wanted = list(dict.fromkeys(key for key in keys if _could_exist(key)))
        found = {item.key: item for item in self._batch_get(kind, wanted)} if wanted else {}
        return [found[key] for key in keys if key in found]

    def calendar(self, spot_id: SpotId, days: Sequence[date]) -> Calendar:
        """These consecutive days. Raises Busy."""
        if not days:
            return Calendar(spot_id, ())
        within = CalendarDayModel.day.between(days[0], days[-1])
        stored = {day.day: day for day in self._query_all(CalendarDay, spot_id, within)}
        return Calendar(spot_id, tuple(stored.get(day) or CalendarDay(spot_id, day) for day in days))

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
        """A driver's items, newest first. Raises InvalidCursor or Busy.

        One item more than the page holds is read, to know whether another page follows. A filtered page stays full
        unless 10 queries did not fill it; its cursor then goes on behind what was looked at.
        """
        position = decode_cursor(kind, user_id, cursor) if cursor is not None else None
        page_size = FILTERED_PAGE_SIZE if status is not None or unread else limit + 1
        kept: list[A] = []
        for _ in range(QUERIES_PER_PAGE_MAX):
            items, position = self._newest(kind, user_id, position, page_size)
            kept += [item for item in items if is_wanted(item, status, unread)]
            if len(kept) > limit:
                return Page(kept[:limit], encode_cursor(kind, user_id, position_of(kept[limit - 1])))
            if position is None:
                return Page(kept, None)
        return Page(kept, encode_cursor(kind, user_id, position) if position else None)

    def push_devices(self, user_id: UserId) -> list[PushDevice]:
        """All devices of a driver. Raises Busy."""
        return list(self._query_all(PushDevice, user_id))

    def audit(self, blocker_id: BlockerId, limit: int) -> list[AuditEntry]:
        """The latest entries of a blocker, newest first. Raises Busy."""
        answer = self._query(AuditEntry, blocker_id, scan_index_forward=False, limit=limit)
        return [shape_of(AuditEntry).aggregate(item) for item in answer[ITEMS]]

    def spots_near(self, area: Area, after: Rank | None = None) -> Iterator[Spot]:
        """Every spot in the area that ranks behind `after`, by rank. Raises Busy."""
        return nearest_first(area, after, self._spots_in)

    def stripe_transactions(self, day: date) -> Iterator[Transaction]:
        """Every transaction of a UTC day that has a side at Stripe. Raises Busy."""
        yield from self._query_all(Transaction, day.isoformat(), index_name=BY_STRIPE_DAY)

    def due(self, step: Step, now: datetime) -> Iterator[list[DueItem]]:
        """What has this as its next step and whose time has come: a like part of each shard at a time. Raises Busy."""
        kind = kind_of(step)
        # PynamoDB makes its client at the first call: made here, because the threads would make one each.
        self._connection.client  # noqa: B018  # a property that makes it
        ahead: list[_Shard] = [(shard, None) for shard in due_shards(step)]
        while ahead:
            answers = list(self._each(partial(self._due_in, kind, now), ahead))
            batch = sorted(_due_item(item, kind) for answer in answers for item in answer[ITEMS])
            if batch:
                yield batch
            ahead = [
                (shard, _texts(last))
                for (shard, _), answer in zip(ahead, answers, strict=True)
                if (last := answer.get(LAST_EVALUATED_KEY))
            ]

    def blockers_by_health(self) -> Counter[Health]:
        """How many blockers there are in each health, counted in an index of keys. Raises Busy."""
        counts = {health: sum(self._count(shard) for shard in health_shards(health)) for health in Health}
        return Counter(counts)

    def commit(self, *saves: Aggregate, unchanged: Sequence[Aggregate] = ()) -> None:
        """Write all of `saves` or nothing. Raises Conflict or Busy."""
        plan = plan_commit(saves, unchanged)
        if len(plan.saves) == 1 and not plan.checks:
            [item] = plan.saves
            hash_key, range_key = _split(item.key)
            with translated():
                self._connection.put_item(
                    self._tables[type(item)],
                    hash_key,
                    range_key,
                    attributes=shape_of(type(item)).item(item),
                    condition=_is_at_version(item),
                )
        elif plan.saves or plan.checks:
            with translated():
                self._connection.transact_write_items(
                    condition_check_items=[self._check(item) for item in plan.checks],
                    delete_items=[],
                    put_items=[self._put(item) for item in plan.saves],
                    update_items=[],
                    # The same token on every retry of this call: written but answered too late is written once.
                    client_request_token=str(uuid.uuid4()),
                )
        if plan.saves:
            self._tell(plan.saves)

    def forget(self, item: Erasable) -> None:
        """Delete it, if it still is what was read. Raises Busy."""
        hash_key, range_key = _split(item.key)
        with suppress(Conflict), translated():
            self._connection.delete_item(self._tables[type(item)], hash_key, range_key, condition=_is_at_version(item))

    def _put(self, item: Aggregate) -> _Item:
        hash_key, range_key = _split(item.key)
        return self._connection.get_operation_kwargs(
            self._tables[type(item)],
            hash_key,
            range_key,
            key=ITEM,
            attributes=shape_of(type(item)).item(item),
            condition=_is_at_version(item),
        )

    def _check(self, item: Aggregate) -> _Item:
        hash_key, range_key = _split(item.key)
        return self._connection.get_operation_kwargs(
            self._tables[type(item)], hash_key, range_key, condition=_is_at_version(item)
        )

    def _newest[A: Aggregate](
        self, kind: type[A], user_id: UserId, after: Position | None, limit: int
    ) -> tuple[list[A], Position | None]:
        """Some of a driver's items, newest first, and the position to go on from if there may be more."""
        range_key = shape_of(kind).key_names[1]
        names = ("created_at", range_key) if kind in LISTED_BY_CREATED else (range_key,)
        answer = self._query(
            kind,
            user_id,
            index_name=BY_CREATED if kind in LISTED_BY_CREATED else None,
            scan_index_forward=False,
            limit=limit,
            start={"user_id": user_id, **dict(zip(names, after, strict=True))} if after else None,
        )
        found: list[_Item] = answer[ITEMS]
        more = bool(answer.get(LAST_EVALUATED_KEY)) and bool(found)
        position = tuple(found[-1][name][STRING] for name in names) if more else None
        return [shape_of(kind).aggregate(item) for item in found], position

    def _spots_in(self, cell: str) -> list[Spot] | None:
        """The spots of a cell; None if they are too many to be read at once and the cell has smaller ones."""
        region, first, last = keys_of(cell)
        within = SpotModel.cell.between(first, last)
        if is_finest(cell):
            return list(self._query_all(Spot, region, within, BY_CELL))
        answer = self._query(Spot, region, within, index_name=BY_CELL, limit=SPOTS_PER_CELL_MAX)
        if answer.get(LAST_EVALUATED_KEY):
            return None
        return [shape_of(Spot).aggregate(item) for item in answer[ITEMS]]

    def _due_in(self, kind: type[Any], now: datetime, ahead: _Shard) -> _Item:
        shard, start = ahead
        until_now = ReservationModel.due_at <= now
        return self._query(kind, shard, until_now, index_name=DUE, limit=DUE_BATCH // DUE_SHARDS, start=start)

    def _query_all[A: Aggregate](
        self, kind: type[A], hash_key: str, within: Condition | None = None, index_name: str | None = None
    ) -> Iterator[A]:
        start: dict[str, str] | None = None
        while True:
            answer = self._query(kind, hash_key, within, index_name=index_name, start=start)
            for item in answer[ITEMS]:
                yield shape_of(kind).aggregate(item)
            last = answer.get(LAST_EVALUATED_KEY)
            if not last:
                return
            start = _texts(last)

    def _count(self, shard: str) -> int:
        counted = 0
        start: dict[str, str] | None = None
        for _ in range(COUNT_PAGES_MAX):
            answer = self._query(Blocker, shard, index_name=BY_HEALTH, start=start, select=COUNT)
            counted += answer[CAMEL_COUNT]
            last = answer.get(LAST_EVALUATED_KEY)
            if not last:
                break
            start = {name: value[STRING] for name, value in last.items()}
        return counted

    def _query(
        self,
        kind: type[Any],
        hash_key: str,
        within: Condition | None = None,
        *,
        index_name: str | None = None,
        scan_index_forward: bool = True,
        limit: int | None = None,
        start: dict[str, str] | None = None,
        select: str | None = None,
    ) -> _Item:
        with translated():
            return self._connection.query(
                self._tables[kind],
                hash_key,
                within,
                index_name=index_name,
                consistent_read=index_name not in (DUE, BY_CELL, BY_STRIPE_DAY, BY_HEALTH),
                exclusive_start_key={name: {STRING: value} for name, value in start.items()} if start else None,
                limit=limit,
                scan_index_forward=scan_index_forward,
                # That local index holds only keys; DynamoDB fetches the rest from the table in the same call.
                select=ALL_ATTRIBUTES if index_name == BY_CREATED else select,
            )

    def _batch_get[A: Aggregate](self, kind: type[A], keys: Sequence[Key]) -> Iterator[A]:
        shape, table = shape_of(kind), self._tables[kind]
        asked: Any = [dict(zip(shape.key_names, key, strict=True)) for key in keys]
        for attempt in range(BATCH_ATTEMPTS_MAX):
            if attempt:
                time.sleep(BATCH_BACKOFF_SECONDS * 2**attempt)
            with translated():
                answer = self._connection.batch_get_item(table, asked, consistent_read=True)
            for item in answer[RESPONSES].get(table, ()):
                yield shape.aggregate(item)
            asked = answer.get(UNPROCESSED_KEYS, {}).get(table, {}).get(KEYS, [])
            if not asked:
                return
        raise Busy(f"{len(asked)} keys of {kind.__name__} stayed unprocessed")


def _is_at_version(item: Aggregate) -> Condition:
    if item.version:
        return VersionedModel.version == item.version
    return VersionedModel.version.does_not_exist()


def _split(key: Key) -> tuple[str, str | None]:
    return key[0], key[1] if len(key) > 1 else None


def _texts(key: _Item) -> dict[str, str]:
    return {name: value[STRING] for name, value in key.items()}


def _due_item(item: _Item, kind: type[Any]) -> DueItem:
    return DueItem(instant_of(item["due_at"][STRING]), _key_in(item, kind))


def _key_in(item: _Item, kind: type[Any]) -> Key:
    return tuple(item[name][STRING] for name in shape_of(kind).key_names)


def _could_exist(key: Key) -> bool:
    """DynamoDB refuses an empty or overlong key as malformed; here it is only a thing that nobody has stored."""
    return all(
        0 < len(part.encode(errors="replace")) <= bytes_max
        for part, bytes_max in zip(key, (HASH_KEY_BYTES_MAX, RANGE_KEY_BYTES_MAX), strict=False)
    )
