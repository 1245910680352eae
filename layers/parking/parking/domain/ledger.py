"""Double-entry bookkeeping. A credit is positive, a debit negative; each transaction's entries add up to zero."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from parking.domain.due import Due, Step
from parking.domain.errors import InsufficientFunds, InvariantBroken
from parking.domain.ids import PaymentId, ReservationId, TransactionId, UserId, timed_id

STRIPE = "stripe"
"""Money that Stripe holds for us: debited when a card pays, credited when a card gets money back."""
REVENUE = "revenue"
"""What parking has earned: credited when a stay is paid, debited when it is refunded."""
WALLET = "wallet"
"""What we owe the driver of the transaction: credited by a deposit, debited by a payment."""
REFUNDS = "refunds"
"""What we owe to cards: credited when a refund or withdrawal is decided, debited when the card or the wallet has it."""
GOODWILL = "goodwill"
"""What we have given away by way of apology: debited by a credit."""
DISPUTES = "disputes"
"""What banks have called back: debited by a dispute, credited when we win it. What stays here is lost."""


DEPOSITS_KEPT = 50


class TransactionKind(StrEnum):
    """Why money moved."""

    CARD_PAYMENT = "CARD_PAYMENT"
    WALLET_PAYMENT = "WALLET_PAYMENT"
    DEPOSIT = "DEPOSIT"
    WITHDRAWAL = "WITHDRAWAL"
    REFUND = "REFUND"
    CARD_REFUND = "CARD_REFUND"
    """A card has got back what a REFUND or WITHDRAWAL owed it."""
    REFUND_TO_WALLET = "REFUND_TO_WALLET"
    """The card refused it, so the wallet has got it."""
    REFUND_BY_BANK = "REFUND_BY_BANK"
    """A lost dispute has given the card already what a REFUND or WITHDRAWAL owed it."""
    CREDIT = "CREDIT"
    """An apology beside a full refund."""
    DISPUTE = "DISPUTE"
    DISPUTE_WON = "DISPUTE_WON"


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
    stripe_id: str | None = None
    """Stripe's object that shows the other side of the account `stripe`."""
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
        return self.amount_on(WALLET)

    def amount_on(self, account: str) -> int:
        """What it credits to an account, in minor units; a debit is negative."""
        return sum(entry.amount_minor for entry in self.entries if entry.account == account)


@dataclass(frozen=True, slots=True)
class Deposited:
    """A deposit, and how much of it no withdrawal has taken back to its card."""

    payment_id: PaymentId
    left_minor: int


@dataclass(frozen=True, slots=True)
class DayTotal:
    """An amount that a UTC day has come to."""

    day: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Debt:
    """An overstay that could not be charged."""

    reservation_id: ReservationId
    amount_minor: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wallet:
    """A driver's prepaid money. Opened on first use; never below zero."""

    user_id: UserId
    currency: str
    balance_minor: int = 0
    deposits: tuple[Deposited, ...] = ()
    """What a withdrawal can give back to cards, the oldest first."""
    deposited: DayTotal | None = None
    """What the last day with a deposit brought."""
    withdrawn: DayTotal | None = None
    """What the last day with a withdrawal took."""
    debts: tuple[Debt, ...] = ()
    closed_at: datetime | None = None
    """When the driver closed the account; domain/closing.py has the rules."""
    erased_at: datetime | None = None
    """When what is about the person was erased first, the log-in before all."""
    erase_due_at: datetime | None = None
    """When to erase what is about the person, or to look once more; None: the account is open, or nothing is left."""
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.user_id,)

    @property
    def due(self) -> Due | None:
        """The next step of a closed account."""
        return Due(self.erase_due_at, Step.ERASE) if self.erase_due_at else None

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

    def filled(self, deposit: Deposited, day: date) -> "Wallet":
        """The wallet's memory of a deposit that was credited.

        Of a long row only as many are kept as cover the balance: no withdrawal can take more.
        """
        deposits = (*self.deposits, deposit)
        while len(deposits) > DEPOSITS_KEPT and sum(one.left_minor for one in deposits[1:]) >= self.balance_minor:
            deposits = deposits[1:]
        total = DayTotal(day, self.deposited_minor(day) + deposit.left_minor)
        return replace(self, deposits=deposits, deposited=total)

    def gave_back(self, taken: Mapping[PaymentId, int], day: date) -> "Wallet":
        """The wallet's memory of a withdrawal, by what it took from each deposit."""
        lowered = (replace(one, left_minor=one.left_minor - taken.get(one.payment_id, 0)) for one in self.deposits)
        total = DayTotal(day, self.withdrawn_minor(day) + sum(taken.values()))
        return replace(self, deposits=tuple(one for one in lowered if one.left_minor > 0), withdrawn=total)

    def deposited_minor(self, day: date) -> int:
        """What this day's deposits have brought."""
        return self.deposited.amount_minor if self.deposited and self.deposited.day == day else 0

    def withdrawn_minor(self, day: date) -> int:
        """What this day's withdrawals have taken."""
        return self.withdrawn.amount_minor if self.withdrawn and self.withdrawn.day == day else 0

    def owing(self, debt: Debt) -> "Wallet":
        """The wallet with a debt that keeps the driver from reserving."""
        return replace(self, debts=(*self.without_debt(debt.reservation_id).debts, debt))

    def without_debt(self, reservation_id: ReservationId) -> "Wallet":
        """The wallet once the reservation's debt is settled."""
        return replace(self, debts=tuple(debt for debt in self.debts if debt.reservation_id != reservation_id))


def record(
    kind: TransactionKind,
    *,
    user_id: UserId,
    payment_id: PaymentId,
    reservation_id: ReservationId | None,
    entries: tuple[Entry, ...],
    currency: str,
    now: datetime,
    stripe_id: str | None = None,
    subject: str = "",
) -> Transaction:
    """A ledger record. `subject` tells several of one kind and payment apart: the refund that it speaks of.

    Its id begins with the time, so that the newest sort last; the payment's version guards that it is written once.
    """
    return Transaction(
        user_id=user_id,
        transaction_id=TransactionId(timed_id("txn", now, payment_id, kind, *([subject] if subject else []))),
        kind=kind,
        entries=entries,
        currency=currency,
        payment_id=payment_id,
        reservation_id=reservation_id,
        stripe_id=stripe_id,
        created_at=now,
    )


def moved(amount_minor: int, *, debit: str, credit: str) -> tuple[Entry, ...]:
    """The two entries that move an amount from one account to another."""
    return (Entry(debit, -amount_minor), Entry(credit, amount_minor))
