"""Lists, calendars and what is due."""

import base64
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import batched, count
from typing import Any
from uuid import uuid4

import pytest

from parking.adapters.limits import DUE_BATCH, ITEMS_MAX
from parking.domain.audit import Action, Word, entry
from parking.domain.calendar import CalendarDay
from parking.domain.due import Step
from parking.domain.health import Health, Watch
from parking.domain.ids import BlockerId, ReservationId, SpotId, UserId
from parking.domain.ledger import Transaction
from parking.domain.notification import Notification
from parking.domain.payment import Payment, PaymentStatus
from parking.domain.reservation import Reservation, ReservationStatus
from parking.services.ports import DueItem, InvalidCursor, Key, Store
from tests.builders import (
    NOW,
    a_blocker,
    a_calendar_day,
    a_claim,
    a_notification,
    a_payment,
    a_refund,
    a_reservation,
    a_transaction,
    a_user_id,
)

BUILDERS: dict[type[Any], Any] = {
    Reservation: a_reservation,
    Payment: a_payment,
    Transaction: a_transaction,
    Notification: a_notification,
}
KINDS = pytest.mark.parametrize("kind", BUILDERS)
_quiet_years = count(1980)


def _listed(store: Store, kind: type[Any], user_id: UserId, number: int) -> list[Any]:
    """Items of one driver, a minute apart, as they are stored, newest first."""
    items = []
    for n in range(number):
        created_at = NOW + timedelta(minutes=n)
        over = {"user_id": user_id, "created_at": created_at}
        if kind is Transaction:
            over["transaction_id"] = f"txn_{n:012x}_{uuid4().hex}"
        items.append(BUILDERS[kind](**over))
    store.commit(*sorted(items, key=lambda item: item.key[-1][::-1]))
    return [replace(item, version=1) for item in reversed(items)]


def _pages(store: Store, kind: type[Any], user_id: UserId, limit: int, **filters: Any) -> list[list[Any]]:
    pages, cursor = [], None
    while True:
        page = store.page(kind, user_id, limit=limit, cursor=cursor, **filters)
        pages.append(page.items)
        cursor = page.cursor
        if cursor is None:
            return pages


@KINDS
def test_a_driver_without_items_has_one_empty_page(store: Store, kind: type[Any]) -> None:
    page = store.page(kind, a_user_id(), limit=10)
    assert page.items == []
    assert page.cursor is None


@KINDS
def test_a_list_is_newest_first_and_pages_without_gap_or_double(store: Store, kind: type[Any]) -> None:
    user_id = a_user_id()
    items = _listed(store, kind, user_id, 7)
    _listed(store, kind, a_user_id(), 2)
    assert _pages(store, kind, user_id, 3) == [items[:3], items[3:6], items[6:]]


@KINDS
def test_the_last_page_says_so_even_if_it_is_full(store: Store, kind: type[Any]) -> None:
    user_id = a_user_id()
    items = _listed(store, kind, user_id, 4)
    assert _pages(store, kind, user_id, 2) == [items[:2], items[2:]]
    assert _pages(store, kind, user_id, 4) == [items]


def test_items_of_one_instant_are_all_listed_once(store: Store) -> None:
    user_id = a_user_id()
    payments = [a_payment(user_id=user_id) for _ in range(7)]
    store.commit(*payments)
    listed = [item.key for page in _pages(store, Payment, user_id, 2) for item in page]
    assert sorted(listed) == sorted(payment.key for payment in payments)


def test_a_filtered_page_is_full(store: Store) -> None:
    user_id = a_user_id()
    reservations = [
        a_reservation(
            user_id=user_id,
            created_at=NOW + timedelta(minutes=n),
            status=ReservationStatus.COMPLETED if n % 5 == 0 else ReservationStatus.EXPIRED,
        )
        for n in range(30)
    ]
    store.commit(*reservations)
    wanted = [replace(r, version=1) for r in reversed(reservations) if r.status is ReservationStatus.COMPLETED]
    assert _pages(store, Reservation, user_id, 4, status="COMPLETED") == [wanted[:4], wanted[4:]]
    assert _pages(store, Reservation, user_id, 4, status="ACTIVE") == [[]]


def test_a_filtered_page_goes_through_many_queries(store: Store) -> None:
    user_id = a_user_id()
    first = a_notification(user_id=user_id)
    store.commit(first)
    for hundred in range(2):
        later = [NOW + timedelta(minutes=1 + n + 90 * hundred) for n in range(90)]
        store.commit(*(a_notification(user_id=user_id, created_at=at, read_at=at) for at in later))
    assert _pages(store, Notification, user_id, 1, unread=True) == [[replace(first, version=1)]]


def test_unread_shows_what_was_not_read(store: Store) -> None:
    user_id = a_user_id()
    notifications = _listed(store, Notification, user_id, 3)
    store.commit(notifications[1].read(NOW))
    assert store.page(Notification, user_id, limit=5, unread=True).items == [notifications[0], notifications[2]]
    assert len(store.page(Notification, user_id, limit=5).items) == 3


@KINDS
def test_a_cursor_is_good_for_its_own_list_only(store: Store, kind: type[Any]) -> None:
    user_id, stranger = a_user_id(), a_user_id()
    _listed(store, kind, user_id, 3)
    cursor = store.page(kind, user_id, limit=1).cursor
    assert cursor
    with pytest.raises(InvalidCursor):
        store.page(kind, stranger, limit=1, cursor=cursor)
    for other in BUILDERS:
        if other is not kind:
            with pytest.raises(InvalidCursor):
                store.page(other, user_id, limit=1, cursor=cursor)


def _cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "ÿ",
        "!!!!",
        "a" * 10_000,
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        base64.urlsafe_b64encode(b"[" * 9_000).decode(),
        base64.urlsafe_b64encode(b"17").decode(),
        base64.urlsafe_b64encode(b"{}").decode(),
        _cursor("Payment", "driver"),
        _cursor("Payment", "driver", "2026-01-01T00:00:00.000000Z"),
        _cursor("Payment", "driver", "2026-01-01T00:00:00.000000Z", ""),
        _cursor("Payment", "driver", "2026-01-01T00:00:00.000000Z", "\ud800"),
        _cursor("Payment", "driver", "2026-01-01T00:00:00.000000Z", "p" * 3_000),
        _cursor("Payment", "driver", "2026-01-01T00:00:00.000000Z", "p", "p"),
        _cursor("Payment", "driver", "0001-01-01T00:00:00.000000+23:59", "p"),
        _cursor("Payment", "driver", "yesterday", "p"),
        _cursor("Payment", "driver", 5, 7),
        _cursor("Payment", "driver", None, None),
        _cursor("Notification", "driver", "p"),
    ],
)
def test_a_cursor_that_we_never_gave_is_refused(store: Store, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        store.page(Payment, UserId("driver"), limit=1, cursor=cursor)


def test_days_that_were_never_written_are_empty(store: Store) -> None:
    spot_id = SpotId(f"spot-{uuid4().hex}")
    days = [date(2026, 12, 30) + timedelta(days=n) for n in range(4)]
    written = a_calendar_day(spot_id=spot_id, day=days[2], claims=(a_claim(),))
    outside = a_calendar_day(spot_id=spot_id, day=days[3] + timedelta(days=1), claims=(a_claim(),))
    store.commit(written, outside)
    assert store.calendar(spot_id, days).days == (
        CalendarDay(spot_id, days[0]),
        CalendarDay(spot_id, days[1]),
        replace(written, version=1),
        CalendarDay(spot_id, days[3]),
    )
    assert store.calendar(spot_id, []).days == ()


def due_keys(store: Store, step: Step, now: datetime) -> list[Key]:
    return [item.key for batch in store.due(step, now) for item in batch]


def test_what_is_due_comes_longest_due_first_and_goes_when_it_is_done(store: Store) -> None:
    year = datetime(next(_quiet_years), 1, 1, tzinfo=UTC)
    holds = [
        a_reservation(reservation_id=ReservationId(f"rsv_{uuid4().hex}"), hold_expires_at=year + timedelta(minutes=n))
        for n in range(12)
    ]
    store.commit(*reversed(holds))
    now = year + timedelta(minutes=9)
    assert due_keys(store, Step.RELEASE_HOLD, now) == [hold.key for hold in holds[:10]]
    assert due_keys(store, Step.FINISH, now) == []
    store.commit(replace(holds[0], version=1, status=ReservationStatus.EXPIRED))
    later = replace(holds[1], version=1, hold_expires_at=year + timedelta(minutes=30))
    confirmed = replace(holds[2], version=1, status=ReservationStatus.CONFIRMED, ends_at=year + timedelta(hours=1))
    store.commit(later, confirmed)
    assert due_keys(store, Step.RELEASE_HOLD, now) == [hold.key for hold in holds[3:10]]
    assert due_keys(store, Step.TELL_END, year + timedelta(hours=1)) == [confirmed.key]
    store.commit(*(replace(hold, version=1, status=ReservationStatus.EXPIRED) for hold in holds[3:]))
    done = [replace(item, version=2, status=ReservationStatus.EXPIRED) for item in (later, confirmed)]
    store.commit(*done)
    assert due_keys(store, Step.RELEASE_HOLD, year + timedelta(days=1)) == []


def test_more_than_a_batch_is_read_batch_by_batch_each_item_once_and_the_longest_due_in_the_first(store: Store) -> None:
    year = datetime(next(_quiet_years), 1, 1, tzinfo=UTC)
    holds = [a_reservation(hold_expires_at=year + timedelta(seconds=n)) for n in range(3 * DUE_BATCH)]
    for some in batched(holds, ITEMS_MAX, strict=True):
        store.commit(*some)
    batches = list(store.due(Step.RELEASE_HOLD, year + timedelta(seconds=2 * DUE_BATCH + 99)))
    assert len(batches) > 1
    assert all(0 < len(batch) <= DUE_BATCH and batch == sorted(batch) for batch in batches)
    assert batches[0][0] == DueItem(year, holds[0].key)
    assert sorted(item for batch in batches for item in batch) == [
        DueItem(hold.hold_expires_at, hold.key) for hold in holds[: 2 * DUE_BATCH + 100]
    ]
    for some in batched(holds, ITEMS_MAX, strict=True):
        store.commit(*(replace(hold, version=1, status=ReservationStatus.EXPIRED) for hold in some))


def test_payments_are_due_for_settling_beside_the_reservations_steps(store: Store) -> None:
    year = datetime(next(_quiet_years), 1, 1, tzinfo=UTC)
    payments = [a_payment(settle_due_at=year + timedelta(minutes=n)) for n in range(6)]
    hold = a_reservation(hold_expires_at=year)
    store.commit(*reversed(payments), hold)
    now = year + timedelta(minutes=4)
    assert due_keys(store, Step.SETTLE, now) == [payment.key for payment in payments[:5]]
    assert due_keys(store, Step.RELEASE_HOLD, now) == [hold.key]
    paid = replace(payments[0], version=1, status=PaymentStatus.SUCCEEDED)
    owing = replace(payments[1], version=1, status=PaymentStatus.REFUND_PENDING, refunds=(a_refund(),))
    later = replace(payments[2], version=1, settle_due_at=now + timedelta(minutes=1))
    closed = [replace(payment, version=1, status=PaymentStatus.CANCELLED) for payment in payments[3:]]
    store.commit(paid, owing, later, *closed)
    assert due_keys(store, Step.SETTLE, now) == [owing.key]
    assert due_keys(store, Step.SETTLE, now + timedelta(minutes=1)) == [owing.key, later.key]
    store.commit(*(replace(one, version=2, status=PaymentStatus.CANCELLED, refunds=()) for one in (owing, later)))


def test_blockers_are_due_beside_the_others(store: Store) -> None:
    year = datetime(next(_quiet_years), 1, 1, tzinfo=UTC)
    blockers = [a_blocker(watch=Watch(due_at=year + timedelta(minutes=n))) for n in range(5)]
    store.commit(*reversed(blockers), a_blocker(), a_reservation(hold_expires_at=year))
    now = year + timedelta(minutes=3)
    assert due_keys(store, Step.WATCH, now) == [blocker.key for blocker in blockers[:4]]
    later = replace(blockers[0], version=1, watch=Watch(due_at=now + timedelta(minutes=1)))
    silent = replace(blockers[1], version=1, watch=Watch())
    store.commit(later, silent)
    assert due_keys(store, Step.WATCH, now) == [blocker.key for blocker in blockers[2:4]]
    store.commit(
        replace(later, version=2, watch=Watch()), *(replace(one, version=1, watch=Watch()) for one in blockers[2:])
    )
    assert due_keys(store, Step.WATCH, now) == []


def test_the_fleet_is_counted_by_what_was_told_of_its_health(store: Store) -> None:
    before = store.blockers_by_health()
    silent = [a_blocker(watch=Watch(health=Health.OFFLINE)) for _ in range(7)]
    store.commit(*silent, a_blocker(watch=Watch(health=Health.ONLINE)), a_blocker())
    store.commit(replace(silent[0], version=1, watch=Watch(health=Health.ONLINE)))
    counted = store.blockers_by_health()
    counted.subtract(before)
    assert counted == Counter({Health.ONLINE: 2, Health.OFFLINE: 6, Health.MISSING: 1})


def test_the_days_transactions_at_stripe_are_listed_of_all_drivers_and_no_others(store: Store) -> None:
    midnight = datetime(next(_quiet_years), 1, 2, tzinfo=UTC)
    moments = [timedelta(0), timedelta(hours=12), timedelta(days=1, microseconds=-1)]
    ours = [a_transaction(stripe_id=f"pi_{n}", created_at=midnight + after) for n, after in enumerate(moments)]
    others = [
        a_transaction(created_at=midnight),
        a_transaction(stripe_id="pi_before", created_at=midnight - timedelta(microseconds=1)),
        a_transaction(stripe_id="pi_after", created_at=midnight + timedelta(days=1)),
    ]
    store.commit(*ours, *others)
    listed = sorted(store.stripe_transactions(midnight.date()), key=lambda one: one.created_at)
    assert listed == [replace(one, version=1) for one in ours]
    assert list(store.stripe_transactions(midnight.date() - timedelta(days=200))) == []


def test_the_audit_of_a_blocker_is_newest_first_and_of_no_other(store: Store) -> None:
    blocker_id = BlockerId(f"blocker-{uuid4().hex[:12]}")
    entries = [
        entry(name, Action.RESYNC, Word(operator="Olga", reason="of the test", request_id=f"{n}", at=at), "nothing")
        for name in (blocker_id, BlockerId(f"{blocker_id}-b"))
        for n, at in enumerate([NOW, NOW, NOW + timedelta(milliseconds=1), NOW + timedelta(days=400)])
    ]
    for one in entries:
        store.commit(one)
    newest_first = [replace(entries[3], version=1), replace(entries[2], version=1)]
    assert store.audit(blocker_id, 2) == newest_first
    listed = store.audit(blocker_id, 100)
    assert listed[:2] == newest_first
    assert {one.word.request_id for one in listed[2:]} == {"0", "1"}
    assert store.audit(BlockerId(f"{blocker_id}-c"), 2) == []
