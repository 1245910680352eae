"""Items of the Wallets and Transactions tables."""

from pynamodb.attributes import ListAttribute, UnicodeAttribute

from parking.adapters.dynamodb.attributes import (
    DayAttribute,
    EnumAttribute,
    InstantAttribute,
    IntegerAttribute,
    TypedMap,
    VersionedModel,
)
from parking.adapters.dynamodb.due import due_shard
from parking.domain.ids import PaymentId, ReservationId, TransactionId, UserId
from parking.domain.ledger import DayTotal, Debt, Deposited, Entry, Transaction, TransactionKind, Wallet

BY_STRIPE_DAY = "by_stripe_day"


class DepositedMap(TypedMap):
    """What of a deposit no withdrawal has taken."""

    payment_id = UnicodeAttribute()
    left_minor = IntegerAttribute()


class DayTotalMap(TypedMap):
    """An amount that a day has come to."""

    day = DayAttribute()
    amount_minor = IntegerAttribute()


class DebtMap(TypedMap):
    """An overstay that is not paid."""

    reservation_id = UnicodeAttribute()
    amount_minor = IntegerAttribute()
    since = InstantAttribute()


class WalletModel(VersionedModel):
    """A driver's wallet. `due_shard` and `due_at` are derived, and absent while there is nothing to erase."""

    user_id = UnicodeAttribute(hash_key=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    currency = UnicodeAttribute()
    balance_minor = IntegerAttribute()
    deposits: ListAttribute[DepositedMap] = ListAttribute(of=DepositedMap, null=True)
    deposited = DayTotalMap(null=True)
    withdrawn = DayTotalMap(null=True)
    debts: ListAttribute[DebtMap] = ListAttribute(of=DebtMap, null=True)
    closed_at = InstantAttribute(null=True)
    erased_at = InstantAttribute(null=True)
    erase_due_at = InstantAttribute(null=True)


class EntryMap(TypedMap):
    """One account's side of a transaction."""

    account = UnicodeAttribute()
    amount_minor = IntegerAttribute()


class TransactionModel(VersionedModel):
    """A ledger record. `stripe_day` is derived, and absent where Stripe has no part in it."""

    user_id = UnicodeAttribute(hash_key=True)
    transaction_id = UnicodeAttribute(range_key=True)
    stripe_day = DayAttribute(null=True)
    stripe_id = UnicodeAttribute(null=True)
    kind = EnumAttribute(TransactionKind)
    entries: ListAttribute[EntryMap] = ListAttribute(of=EntryMap)
    currency = UnicodeAttribute()
    payment_id = UnicodeAttribute()
    reservation_id = UnicodeAttribute(null=True)
    created_at = InstantAttribute()


def wallet_item_of(wallet: Wallet) -> WalletModel:
    """The wallet as it is stored."""
    due = wallet.due
    return WalletModel(
        user_id=wallet.user_id,
        due_shard=due_shard(due.step, wallet.user_id) if due else None,
        due_at=due.at if due else None,
        currency=wallet.currency,
        balance_minor=wallet.balance_minor,
        deposits=[DepositedMap(payment_id=one.payment_id, left_minor=one.left_minor) for one in wallet.deposits]
        or None,
        deposited=_day_total_map(wallet.deposited),
        withdrawn=_day_total_map(wallet.withdrawn),
        debts=[_debt_map(one) for one in wallet.debts] or None,
        closed_at=wallet.closed_at,
        erased_at=wallet.erased_at,
        erase_due_at=wallet.erase_due_at,
        version=wallet.version,
    )


def wallet_of(item: WalletModel) -> Wallet:
    """The stored wallet."""
    return Wallet(
        user_id=UserId(item.user_id),
        currency=item.currency,
        balance_minor=item.balance_minor,
        deposits=tuple(Deposited(PaymentId(one.payment_id), one.left_minor) for one in item.deposits or ()),
        deposited=_day_total_of(item.deposited),
        withdrawn=_day_total_of(item.withdrawn),
        debts=tuple(Debt(ReservationId(one.reservation_id), one.amount_minor, one.since) for one in item.debts or ()),
        closed_at=item.closed_at,
        erased_at=item.erased_at,
        erase_due_at=item.erase_due_at,
        version=item.version,
    )


def transaction_item_of(transaction: Transaction) -> TransactionModel:
    """The transaction as it is stored."""
    return TransactionModel(
        user_id=transaction.user_id,
        transaction_id=transaction.transaction_id,
        stripe_day=transaction.created_at.date() if transaction.stripe_id else None,
        stripe_id=transaction.stripe_id,
        kind=transaction.kind,
        entries=[EntryMap(account=entry.account, amount_minor=entry.amount_minor) for entry in transaction.entries],
        currency=transaction.currency,
        payment_id=transaction.payment_id,
        reservation_id=transaction.reservation_id,
        created_at=transaction.created_at,
        version=transaction.version,
    )


def transaction_of(item: TransactionModel) -> Transaction:
    """The stored transaction."""
    return Transaction(
        user_id=UserId(item.user_id),
        transaction_id=TransactionId(item.transaction_id),
        kind=item.kind,
        entries=tuple(Entry(entry.account, entry.amount_minor) for entry in item.entries),
        currency=item.currency,
        payment_id=PaymentId(item.payment_id),
        reservation_id=ReservationId(item.reservation_id) if item.reservation_id else None,
        stripe_id=item.stripe_id,
        created_at=item.created_at,
        version=item.version,
    )


def _day_total_map(total: DayTotal | None) -> DayTotalMap | None:
    return DayTotalMap(day=total.day, amount_minor=total.amount_minor) if total else None


def _day_total_of(item: DayTotalMap | None) -> DayTotal | None:
    return DayTotal(item.day, item.amount_minor) if item else None


def _debt_map(debt: Debt) -> DebtMap:
    return DebtMap(reservation_id=debt.reservation_id, amount_minor=debt.amount_minor, since=debt.since)
