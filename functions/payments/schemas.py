"""What the app sends and gets about money. Amounts are integers in minor units."""

from typing import Annotated, Literal

from pydantic import Field, StrictInt

from parking.domain.ledger import Transaction, TransactionKind, Wallet
from parking.domain.payment import Method, Payment, PaymentStatus, Purpose
from parking.http import IdField, In, Instant, Out
from parking.services.payments import LARGEST_DEPOSIT_MINOR, SMALLEST_DEPOSIT_MINOR


class PayIn(In):
    """Pay a held reservation, or with `extension_id` its extension, from the wallet."""

    reservation_id: IdField
    extension_id: IdField | None = None
    method: Literal[Method.WALLET]


class DepositIn(In):
    """Fill the wallet by card."""

    amount: Annotated[StrictInt, Field(ge=SMALLEST_DEPOSIT_MINOR, le=LARGEST_DEPOSIT_MINOR)]


class PaymentOut(Out):
    """A payment."""

    payment_id: str
    purpose: Purpose
    method: Method
    status: PaymentStatus
    amount: int
    refunded_amount: int
    currency: str
    reservation_id: str | None
    extension_id: str | None
    created_at: Instant

    @classmethod
    def of(cls, payment: Payment) -> "PaymentOut":
        """The payment as the app shows it."""
        return cls(**_members(payment))


class DepositOut(PaymentOut):
    """A deposit that waits for the card: give `client_secret` to Stripe's mobile SDK, which asks for the card."""

    client_secret: str

    @classmethod
    def waiting(cls, payment: Payment, client_secret: str) -> "DepositOut":
        """The payment with what the app needs to confirm it at Stripe."""
        return cls(**_members(payment), client_secret=client_secret)


class PaymentsOut(Out):
    """A page of a driver's payments, newest first."""

    items: list[PaymentOut]
    next_cursor: str | None


class WalletOut(Out):
    """Prepaid money."""

    balance: int
    currency: str

    @classmethod
    def of(cls, wallet: Wallet) -> "WalletOut":
        """The wallet as the app shows it."""
        return cls(balance=wallet.balance_minor, currency=wallet.currency)


class EntryOut(Out):
    """One account's side of a transaction; credits are positive, and all sides add up to zero."""

    account: str
    amount: int


class TransactionOut(Out):
    """A ledger record. `amount` is what it adds to the wallet."""

    transaction_id: str
    kind: TransactionKind
    amount: int
    currency: str
    entries: list[EntryOut]
    payment_id: str
    reservation_id: str | None
    created_at: Instant

    @classmethod
    def of(cls, transaction: Transaction) -> "TransactionOut":
        """The transaction as the app shows it."""
        return cls(
            transaction_id=transaction.transaction_id,
            kind=transaction.kind,
            amount=transaction.wallet_amount_minor,
            currency=transaction.currency,
            entries=[EntryOut(account=one.account, amount=one.amount_minor) for one in transaction.entries],
            payment_id=transaction.payment_id,
            reservation_id=transaction.reservation_id,
            created_at=transaction.created_at,
        )


class TransactionsOut(Out):
    """A page of the wallet's ledger, newest first."""

    items: list[TransactionOut]
    next_cursor: str | None


def _members(payment: Payment) -> dict[str, object]:
    return {
        "payment_id": payment.payment_id,
        "purpose": payment.purpose,
        "method": payment.method,
        "status": payment.status,
        "amount": payment.amount_minor,
        "refunded_amount": payment.refunded_minor,
        "currency": payment.currency,
        "reservation_id": payment.reservation_id,
        "extension_id": payment.extension_id,
        "created_at": payment.created_at,
    }
