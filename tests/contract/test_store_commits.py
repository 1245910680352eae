"""What a commit promises: all or nothing, and only on top of what was read."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from parking.adapters.dynamodb.store import DynamoStore
from parking.domain.calendar import CalendarDay
from parking.domain.errors import InsufficientFunds, SpotUnavailable
from parking.domain.ledger import Transaction, Wallet
from parking.domain.notification import EndpointOwner, PushDevice
from parking.domain.payment import Payment, PaymentStatus
from parking.domain.reservation import Reservation
from parking.services.commit import until_committed
from parking.services.ports import Aggregate, Conflict, Store
from tests.builders import (
    NOW,
    a_calendar_day,
    a_claim,
    a_payment,
    a_push_device,
    a_reservation,
    a_transaction,
    a_wallet,
    an_endpoint_owner,
)
from tests.contract.emulators import Aws, create_tables

RACERS = 16


def test_an_item_that_was_never_stored_is_not_there(store: Store) -> None:
    assert store.get(Payment, *a_payment().key) is None


def test_a_key_that_no_table_could_hold_is_not_there(store: Store) -> None:
    assert store.get(Reservation, "driver", "r" * 5000) is None
    assert store.get(Reservation, "driver", "") is None
    assert store.get_many(Reservation, [("driver", "r" * 5000), ("driver", "")]) == []


def test_a_commit_stores_version_one_higher(store: Store) -> None:
    payment = a_payment()
    store.commit(payment)
    stored = store.get(Payment, *payment.key)
    assert stored == replace(payment, version=1)
    store.commit(stored.moved_to(PaymentStatus.SUCCEEDED))
    assert store.get(Payment, *payment.key) == replace(payment, status=PaymentStatus.SUCCEEDED, version=2)


@pytest.mark.parametrize("others", [0, 1])
def test_what_exists_is_not_created_again(store: Store, others: int) -> None:
    wallet = a_wallet()
    store.commit(wallet)
    with pytest.raises(Conflict):
        store.commit(replace(wallet, balance_minor=500), *(a_payment() for _ in range(others)))
    assert store.get(Wallet, *wallet.key) == replace(wallet, version=1)


@pytest.mark.parametrize("others", [0, 1])
def test_a_stale_version_writes_nothing(store: Store, others: int) -> None:
    wallet = a_wallet()
    store.commit(wallet)
    read = store.get(Wallet, *wallet.key)
    assert read
    store.commit(replace(read, balance_minor=100))
    with pytest.raises(Conflict):
        store.commit(replace(read, balance_minor=200), *(a_payment() for _ in range(others)))
    assert store.get(Wallet, *wallet.key) == replace(wallet, balance_minor=100, version=2)


def test_a_version_of_something_that_is_gone_is_a_conflict(store: Store) -> None:
    with pytest.raises(Conflict):
        store.commit(a_wallet(version=3))


def test_one_conflict_among_many_writes_nothing_at_all(store: Store) -> None:
    reservation, payment, day = a_reservation(), a_payment(), a_calendar_day()
    store.commit(day)
    with pytest.raises(Conflict):
        store.commit(reservation, payment, replace(day, claims=(a_claim(),)))
    assert store.get(Reservation, *reservation.key) is None
    assert store.get(Payment, *payment.key) is None


def test_what_must_be_unchanged_is_checked_and_not_written(store: Store) -> None:
    reservation, payment = a_reservation(), a_payment()
    store.commit(reservation)
    read = store.get(Reservation, *reservation.key)
    assert read
    store.commit(payment, unchanged=[read])
    assert store.get(Reservation, *reservation.key) == read
    store.commit(read)
    with pytest.raises(Conflict):
        store.commit(a_payment(), unchanged=[read])


def test_what_must_not_exist_yet_is_checked(store: Store) -> None:
    wallet = a_wallet()
    store.commit(a_payment(), unchanged=[wallet])
    assert store.get(Wallet, *wallet.key) is None
    store.commit(wallet)
    with pytest.raises(Conflict):
        store.commit(a_payment(), unchanged=[wallet])


def test_what_is_saved_needs_no_second_check(store: Store) -> None:
    wallet = a_wallet()
    store.commit(replace(wallet, balance_minor=5), a_payment(), unchanged=[wallet, wallet])
    assert store.get(Wallet, *wallet.key) == replace(wallet, balance_minor=5, version=1)


def test_a_commit_may_only_check(store: Store) -> None:
    wallet = a_wallet()
    store.commit(unchanged=[wallet])
    store.commit()
    store.commit(wallet)
    with pytest.raises(Conflict):
        store.commit(unchanged=[wallet])


def test_a_commit_over_the_limits_is_refused_before_anything_is_written(store: Store) -> None:
    payment = a_payment()
    with pytest.raises(ValueError, match="twice"):
        store.commit(payment, payment)
    with pytest.raises(ValueError, match="101 items"):
        store.commit(payment, *(a_payment() for _ in range(100)))
    assert store.get(Payment, *payment.key) is None


def test_a_hundred_items_are_one_commit(store: Store) -> None:
    payments = [a_payment() for _ in range(100)]
    store.commit(*payments)
    assert store.get_many(Payment, [payment.key for payment in payments]) == [
        replace(payment, version=1) for payment in payments
    ]


def test_get_many_gives_what_exists_in_the_order_of_the_keys(store: Store) -> None:
    first, second, missing = a_reservation(), a_reservation(), a_reservation()
    store.commit(first, second)
    found = store.get_many(Reservation, [second.key, missing.key, first.key, second.key])
    assert [item.key for item in found] == [second.key, first.key, second.key]
    assert store.get_many(Reservation, []) == []
    with pytest.raises(ValueError, match="101 items"):
        store.get_many(Reservation, [first.key] * 101)


def test_what_was_written_again_since_it_was_read_is_not_forgotten(store: Store) -> None:
    device, owner = a_push_device(), an_endpoint_owner()
    store.commit(device, owner)
    as_read = replace(device, version=1), replace(owner, version=1)
    store.commit(*as_read)
    for item in as_read:
        store.forget(item)
    assert store.get(PushDevice, *device.key) == replace(device, version=2)
    assert store.get(EndpointOwner, *owner.key) == replace(owner, version=2)
    for item in as_read:
        store.forget(replace(item, version=2))
    assert store.get(PushDevice, *device.key) is None
    assert store.get(EndpointOwner, *owner.key) is None


def test_a_forgotten_device_is_gone_and_may_be_forgotten_again(store: Store) -> None:
    device = a_push_device(version=1)
    other = a_push_device(user_id=device.user_id)
    store.commit(replace(device, version=0), other)
    assert {found.device_id for found in store.push_devices(device.user_id)} == {device.device_id, other.device_id}
    store.forget(device)
    store.forget(device)
    assert store.get(PushDevice, *device.key) is None
    assert store.push_devices(device.user_id) == [replace(other, version=1)]


def test_sixteen_drivers_who_want_one_interval_are_one_winner(store: Store) -> None:
    day = a_calendar_day()

    def book(_: int) -> bool:
        reservation = a_reservation(spot_id=day.spot_id)
        claim = replace(a_claim(), user_id=reservation.user_id, reservation_id=reservation.reservation_id)

        def attempt() -> None:
            before = store.calendar(day.spot_id, [day.day])
            store.commit(reservation, *before.with_claim(claim).changed_from(before))

        try:
            until_committed(attempt)
        except SpotUnavailable:
            assert store.get(Reservation, *reservation.key) is None
            return False
        return True

    assert sum(_race(book)) == 1
    stored = store.get(CalendarDay, *day.key)
    assert stored
    assert len(stored.claims) == stored.version == 1


def test_a_version_is_won_once(store: Store) -> None:
    wallet = a_wallet()
    store.commit(wallet)
    read = store.get(Wallet, *wallet.key)
    assert read

    def write(racer: int) -> bool:
        try:
            store.commit(replace(read, balance_minor=racer), a_transaction(user_id=wallet.user_id))
        except Conflict:
            return False
        return True

    assert sum(_race(write)) == 1


def test_no_payment_from_a_wallet_is_lost_and_it_never_falls_below_zero(store: Store) -> None:
    price_minor, affordable = 480, 5
    wallet = a_wallet(balance_minor=price_minor * affordable)
    store.commit(wallet)

    def pay(racer: int) -> bool:
        at = NOW + timedelta(milliseconds=racer)
        transaction = a_transaction(user_id=wallet.user_id, transaction_id=f"txn_{racer:03}", created_at=at)

        def attempt() -> bool:
            current = store.get(Wallet, *wallet.key)
            assert current
            try:
                after = current.after(transaction)
            except InsufficientFunds:
                return False
            try:
                store.commit(after, transaction)
            except Conflict:
                return attempt()
            return True

        return attempt()

    assert sum(_race(pay)) == affordable
    stored = store.get(Wallet, *wallet.key)
    assert stored == replace(wallet, balance_minor=0, version=1 + affordable)
    assert len(store.page(Transaction, wallet.user_id, limit=RACERS).items) == affordable


def _race(run: object) -> list[bool]:
    assert callable(run)
    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(run, range(RACERS)))


@pytest.mark.parametrize("others", [0, 1])
def test_what_was_committed_is_told_once_and_what_was_refused_or_only_checked_is_not(aws: Aws, others: int) -> None:
    told = list[Sequence[Aggregate]]()
    store, wallet = DynamoStore(create_tables(), tell=told.append), a_wallet()
    saves: tuple[Aggregate, ...] = (wallet, *(a_payment() for _ in range(others)))
    store.commit(*saves)
    with pytest.raises(Conflict):
        store.commit(wallet, *(a_payment() for _ in range(others)))
    store.commit(unchanged=[replace(wallet, version=1)])
    assert told == [saves]
