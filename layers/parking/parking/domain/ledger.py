"""Double-entry bookkeeping. A credit is positive, a debit negative; each transaction's entries add up to zero."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from parking.domain.errors import InsufficientFunds, InvariantBroken
from parking.domain.ids import PaymentId, ReservationId, TransactionId, UserId, timed_id

STRIPE = "stripe"
"""Money that Stripe holds for us: debited when a card pays."""
REVENUE = "revenue"
"""What parking has earned: credited when a stay is paid, debited when it is refunded."""
WALLET = "wallet"
"""What we owe the driver of the transaction: credited by a deposit, debited by a payment."""


class TransactionKind(StrEnum):
    """Why money moved."""

    CARD_PAYMENT = "CARD_PAYMENT"
    WALLET_PAYMENT = "WALLET_PAYMENT"
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    REFUND = "REFUND"


@dataclass(frozen=True, slots=True)
class Entry:
    """One account's side of a transaction, in minor units."""

    account: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A ledger record. Nothing edits it; a correction is another transaction."""

    user_id: UserId
    transaction_id: TransactionId
    kind: TransactionKind
    entries: tuple[Entry, ...]
    currency: str
    payment_id: PaymentId
    reservation_id: ReservationId | None
    created_at: datetime
    version: int = 0

    def __post_init__(self) -> None:
        """Refuses a transaction that makes or loses money."""
        if not self.entries or sum(entry.amount_minor for entry in self.entries) != 0:
            raise InvariantBroken(f"{self.transaction_id} does not add up to zero: {self.entries}")

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.user_id, self.transaction_id)

    @property
    def wallet_amount_minor(self) -> int:
        """What it adds to the driver's wallet."""
        return sum(entry.amount_minor for entry in self.entries if entry.account == WALLET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """A driver's prepaid money. Opened on first use; never below zero."""

    user_id: UserId
    currency: str
    balance_minor: int = 0
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.user_id,)

    def after(self, transaction: Transaction) -> "Wallet":
        """The wallet once the transaction stands. Raises InsufficientFunds if it would fall below zero."""
        if transaction.currency != self.currency or transaction.user_id != self.user_id:
            raise InvariantBroken(f"{transaction.transaction_id} is not for the wallet of {self.user_id}")
        balance = self.balance_minor + transaction.wallet_amount_minor
        if balance < 0:
            raise InsufficientFunds(
                "The wallet holds less than the amount.",
                balance_minor=self.balance_minor,
                amount_minor=-transaction.wallet_amount_minor,
                currency=self.currency,
            )
        return replace(self, balance_minor=balance)


def record(
    kind: TransactionKind,
    *,
    user_id: UserId,
    payment_id: PaymentId,
    reservation_id: ReservationId | None,
    amount_minor: int,
    debit: str,
    credit: str,
    currency: str,
    now: datetime,
) -> Transaction:
    """A transaction that moves an amount from one account to another.

    Its id begins with the time, so that the newest sort last; the payment's version guards that it is written once.
    """
    return Transaction(
        user_id=user_id,
        transaction_id=TransactionId(timed_id("txn", now, payment_id, kind)),
        kind=kind,
        entries=(Entry(debit, -amount_minor), Entry(credit, amount_minor)),
        currency=currency,
        payment_id=payment_id,
        reservation_id=reservation_id,
        created_at=now,
    )
