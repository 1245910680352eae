"""A driver's account as a whole: closing it, erasing the person behind it, and giving them all that we keep.

Closing is one fact in the wallet. What follows from it is carried out by a schedule, again and again until it is done.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from parking.domain.closing import close, erased, waiting
from parking.domain.customer import Customer
from parking.domain.due import Step
from parking.domain.errors import NotFound
from parking.domain.favourites import Favourites
from parking.domain.ids import PaymentId, ReservationId, UserId
from parking.domain.ledger import Wallet
from parking.domain.notification import Notification, PushDevice
from parking.domain.payment import Payment
from parking.domain.preferences import NotificationPreferences
from parking.domain.reservation import Reservation, ReservationStatus
from parking.services.commit import until_committed
from parking.services.notifications import preferences_of
from parking.services.owned import wallet_of
from parking.services.phones import forget_device
from parking.services.ports import CardGateway, Key, Logins, Push, Store
from parking.services.sweeping import ONE_BY_ONE, Pace, Swept, is_due, sweep

PAGE = 100
OVERDUE_AFTER = timedelta(days=1)
_OPEN = (ReservationStatus.HELD, ReservationStatus.CONFIRMED, ReservationStatus.ACTIVE)


class ErasureOverdue(Exception):
    """Something of a closed account has not ended for a day. It is looked at again; a person should look too."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What there is once of a driver."""

    wallet: Wallet
    customer: Customer | None
    preferences: NotificationPreferences
    favourites: Favourites
    devices: list[PushDevice]


def profile_of(store: Store, user_id: UserId, currency: str) -> Profile:
    """The driver as we know them, but for what there are lists of."""
    return Profile(
        wallet_of(store, user_id, currency),
        store.get(Customer, user_id),
        preferences_of(store, user_id),
        store.get(Favourites, user_id) or Favourites(user_id=user_id),
        store.push_devices(user_id),
    )


def close_account(store: Store, user_id: UserId, currency: str, logged_in_at: datetime | None, now: datetime) -> Wallet:
    """Write down that the driver wants no account any more; again is the same fact.

    Raises FreshLoginRequired, AccountNotSettled.
    """

    def attempt() -> Wallet:
        before = wallet_of(store, user_id, currency)
        after = close(before, *_open_things(store, user_id), logged_in_at, now)
        if after != before:
            store.commit(after)
        return after

    return until_committed(attempt)


def erase_due(
    store: Store, cards: CardGateway, push: Push, logins: Logins, now: datetime, pace: Pace = ONE_BY_ONE
) -> Swept:
    """Erase the person behind every closed account whose time has come."""
    return sweep(store, Step.ERASE, now, lambda key: _erase(store, cards, push, logins, key, now), pace)


def _erase(store: Store, cards: CardGateway, push: Push, logins: Logins, key: Key, now: datetime) -> bool:
    """Each step may be done again, and the wallet is written last: after a crash in between all of it is done again.

    What began just before the account was closed, a hold or a form, ends first: its money may have to go somewhere.
    """
    wallet = store.get(Wallet, *key)
    if wallet is None:
        raise NotFound("The due index names a wallet that is not there.")
    if not is_due(wallet.due, Step.ERASE, now):
        return False
    user_id = wallet.user_id
    if any(_open_things(store, user_id)) or wallet.balance_minor or wallet.debts:
        store.commit(waiting(wallet, now))
        if wallet.closed_at and now - wallet.closed_at >= OVERDUE_AFTER:
            raise ErasureOverdue(f"the account of {user_id} is closed, and something of it has not ended")
        return True
    logins.delete(user_id)  # first, so that no new token comes
    for device in store.push_devices(user_id):
        forget_device(store, push, device)
    customer = store.get(Customer, user_id)
    if customer:
        cards.delete_customer(customer.customer_id)
        store.forget(customer)
    for one in (store.get(Favourites, user_id), store.get(NotificationPreferences, user_id)):
        if one:
            store.forget(one)
    for notice in _all(store, Notification, user_id):
        store.forget(notice)
    for stay in _all(store, Reservation, user_id):
        if stay.vehicle_plate is not None:
            store.commit(replace(stay, vehicle_plate=None))
    store.commit(erased(wallet, now))
    return True


def _open_things(store: Store, user_id: UserId) -> tuple[list[ReservationId], list[PaymentId]]:
    """The stays that have not ended, and the payments that Stripe and we have yet to settle."""
    return (
        [one.reservation_id for one in _all(store, Reservation, user_id) if one.status in _OPEN],
        [one.payment_id for one in _all(store, Payment, user_id) if one.unsettled],
    )


def _all[A: (Notification, Payment, Reservation)](store: Store, kind: type[A], user_id: UserId) -> Iterator[A]:
    cursor: str | None = None
    while True:
        page = store.page(kind, user_id, limit=PAGE, cursor=cursor)
        yield from page.items
        cursor = page.cursor
        if cursor is None:
            return
