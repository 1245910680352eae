"""Items of the Payments, Wallets and Transactions tables."""

from pynamodb.attributes import ListAttribute, UnicodeAttribute

from parking.adapters.dynamodb.attributes import (
    EnumAttribute,
    InstantAttribute,
    IntegerAttribute,
    TypedMap,
    VersionedModel,
)
from parking.domain.ids import ExtensionId, PaymentId, ReservationId, TransactionId, UserId
from parking.domain.ledger import Entry, Transaction, TransactionKind, Wallet
from parking.domain.payment import Method, Payment, PaymentStatus, Purpose


class PaymentModel(VersionedModel):
    """A payment."""

    user_id = UnicodeAttribute(hash_key=True)
    payment_id = UnicodeAttribute(range_key=True)
    purpose = EnumAttribute(Purpose)
    method = EnumAttribute(Method)
    amount_minor = IntegerAttribute()
    currency = UnicodeAttribute()
    status = EnumAttribute(PaymentStatus)
    reservation_id = UnicodeAttribute(null=True)
    extension_id = UnicodeAttribute(null=True)
    intent_id = UnicodeAttribute(null=True)
    refunded_minor = IntegerAttribute()
    fingerprint = UnicodeAttribute()
    created_at = InstantAttribute()


class WalletModel(VersionedModel):
    """A driver's wallet."""

    user_id = UnicodeAttribute(hash_key=True)
    currency = UnicodeAttribute()
    balance_minor = IntegerAttribute()


class EntryMap(TypedMap):
    """One account's side of a transaction."""

    account = UnicodeAttribute()
    amount_minor = IntegerAttribute()


class TransactionModel(VersionedModel):
    """A ledger record."""

    user_id = UnicodeAttribute(hash_key=True)
    transaction_id = UnicodeAttribute(range_key=True)
    kind = EnumAttribute(TransactionKind)
    entries: ListAttribute[EntryMap] = ListAttribute(of=EntryMap)
    currency = UnicodeAttribute()
    payment_id = UnicodeAttribute()
    reservation_id = UnicodeAttribute(null=True)
    created_at = InstantAttribute()


def payment_item_of(payment: Payment) -> PaymentModel:
    """The payment as it is stored."""
    return PaymentModel(
        user_id=payment.user_id,
        payment_id=payment.payment_id,
        purpose=payment.purpose,
        method=payment.method,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        status=payment.status,
        reservation_id=payment.reservation_id,
        extension_id=payment.extension_id,
        intent_id=payment.intent_id,
        refunded_minor=payment.refunded_minor,
        fingerprint=payment.fingerprint,
        created_at=payment.created_at,
        version=payment.version,
    )


def payment_of(item: PaymentModel) -> Payment:
    """The stored payment."""
    return Payment(
        user_id=UserId(item.user_id),
        payment_id=PaymentId(item.payment_id),
        purpose=item.purpose,
        method=item.method,
        amount_minor=item.amount_minor,
        currency=item.currency,
        status=item.status,
        reservation_id=ReservationId(item.reservation_id) if item.reservation_id else None,
        extension_id=ExtensionId(item.extension_id) if item.extension_id else None,
        intent_id=item.intent_id,
        refunded_minor=item.refunded_minor,
        fingerprint=item.fingerprint,
        created_at=item.created_at,
        version=item.version,
    )


def wallet_item_of(wallet: Wallet) -> WalletModel:
    """The wallet as it is stored."""
    return WalletModel(
        user_id=wallet.user_id,
        currency=wallet.currency,
        balance_minor=wallet.balance_minor,
        version=wallet.version,
    )


def wallet_of(item: WalletModel) -> Wallet:
    """The stored wallet."""
    return Wallet(
        user_id=UserId(item.user_id),
        currency=item.currency,
        balance_minor=item.balance_minor,
        version=item.version,
    )


def transaction_item_of(transaction: Transaction) -> TransactionModel:
    """The transaction as it is stored."""
    return TransactionModel(
        user_id=transaction.user_id,
        transaction_id=transaction.transaction_id,
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
        created_at=item.created_at,
        version=item.version,
    )
