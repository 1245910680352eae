"""The end of an account: the wish stands in the wallet, the item that every decision about new money and debts reads.

The ledger outlives the account, as the law wants it; what is about the person is erased, and the id names nobody then.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from parking.domain.errors import AccountClosed, AccountNotSettled, FreshLoginRequired, InvariantBroken
from parking.domain.ids import PaymentId, ReservationId
from parking.domain.ledger import Wallet
from parking.domain.payment import LOOK_AFTER

LAST_TOKEN_AFTER = timedelta(hours=3)
"""By then no access token is alive: an hour is its life, and by an hour at most is a schedule's event late."""
LOGIN_FRESH_FOR = timedelta(minutes=10)
"""Time to confirm the wish; a token that is found or leaked later is too old."""


def close(
    wallet: Wallet,
    reservations: Sequence[ReservationId],
    payments: Sequence[PaymentId],
    logged_in_at: datetime | None,
    now: datetime,
) -> Wallet:
    """The wallet of a closed account; one that is closed already stays as it is, whoever asks.

    Raises FreshLoginRequired unless the driver gave the password within LOGIN_FRESH_FOR, and AccountNotSettled while
    stays are booked, payments are on their way, money is left or something is owed.
    """
    if wallet.closed_at:
        return wallet
    if logged_in_at is None or now - logged_in_at > LOGIN_FRESH_FOR:
        raise FreshLoginRequired("Log in again, and ask once more within ten minutes of it.")
    if wallet.balance_minor or wallet.debts or reservations or payments:
        raise AccountNotSettled(
            "Cancel or end every stay, wait for payments on their way, pay what is owed and take out what is left.",
            reservation_ids=list(reservations),
            payment_ids=list(payments),
            balance=wallet.balance_minor,
            debt=sum(one.amount_minor for one in wallet.debts),
            currency=wallet.currency,
        )
    return replace(wallet, closed_at=now, erase_due_at=now)


def must_be_open(wallet: Wallet | None) -> None:
    """Before anything new begins. Raises AccountClosed."""
    if wallet and wallet.closed_at:
        raise AccountClosed("This account is closed.")


def waiting(wallet: Wallet, now: datetime) -> Wallet:
    """The wallet while something that had begun before the account was closed has yet to end."""
    return replace(wallet, erase_due_at=now + LOOK_AFTER)


def erased(wallet: Wallet, now: datetime) -> Wallet:
    """The wallet once all was erased; due once more when the last token is dead, for what a phone wrote meanwhile."""
    if wallet.closed_at is None:
        raise InvariantBroken(f"the account of {wallet.user_id} was erased, and is open")
    first_at = wallet.erased_at or now
    last_at = first_at + LAST_TOKEN_AFTER
    return replace(wallet, erased_at=first_at, erase_due_at=None if now >= last_at else last_at)
