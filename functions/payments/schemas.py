"""What the app sends and gets about money. Amounts are integers in minor units."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictInt, model_validator

from parking.domain.customer import Customer, PaymentMethod
from parking.domain.ledger import Debt, Transaction, TransactionKind, Wallet
from parking.domain.payment import DisputeStatus, Method, Payment, PaymentStatus, Purpose, RefundStatus
from parking.forms import In
from parking.http import WHOLE, IdField, Instant, Out
from parking.services.card_payments import CardAnswer
from parking.services.ports import CardSetup
from parking.services.wallets import (
    LARGEST_DEPOSIT_MINOR,
    SMALLEST_DEPOSIT_MINOR,
    SMALLEST_WITHDRAWAL_MINOR,
    WITHDRAWALS_PER_DAY_MINOR,
    withdrawable_minor,
)

_SAVED_CARD = "A saved card; leave it out to let the app ask for a card."


class PayIn(In):
    """Pay a held reservation, with `extension_id` its extension, or the overstay that an ended one still owes."""

    reservation_id: IdField
    extension_id: IdField | None = None
    method: Method
    payment_method_id: Annotated[IdField | None, Field(description=_SAVED_CARD)] = None

    @model_validator(mode="after")
    def _card_only(self) -> "PayIn":
        if self.method is Method.WALLET and self.payment_method_id:
            raise ValueError("payment_method_id goes with the method CARD")
        return self


class DepositIn(In):
    """Fill the wallet by card."""

    amount: Annotated[StrictInt, Field(ge=SMALLEST_DEPOSIT_MINOR, le=LARGEST_DEPOSIT_MINOR), WHOLE]
    payment_method_id: Annotated[IdField | None, Field(description=_SAVED_CARD)] = None


class WithdrawIn(In):
    """Take money out of the wallet, back to the cards that filled it."""

    amount: Annotated[StrictInt, Field(ge=SMALLEST_WITHDRAWAL_MINOR, le=WITHDRAWALS_PER_DAY_MINOR), WHOLE]


class RefundOut(Out):
    """Money on its way back to a card."""

    amount: int
    status: RefundStatus
    requested_at: Instant


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
    payment_method_id: str | None
    decline_code: str | None
    refunds: list[RefundOut]
    dispute: DisputeStatus | None
    created_at: Instant

    @classmethod
    def of(cls, payment: Payment) -> "PaymentOut":
        """The payment as the app shows it."""
        return cls(**_members(payment))


class StartedPaymentOut(PaymentOut):
    """REQUIRES_ACTION: give `client_secret` to Stripe's mobile SDK, which asks for the card or for 3-D Secure."""

    client_secret: str | None

    @classmethod
    def paid(cls, payment: Payment) -> "StartedPaymentOut":
        """A payment that has nothing left to do for the app."""
        return cls(**_members(payment), client_secret=None)

    @classmethod
    def answered(cls, answer: CardAnswer) -> "StartedPaymentOut":
        """The payment with what the app needs to go on at Stripe."""
        return cls(**_members(answer.payment), client_secret=answer.client_secret)


class PaymentsOut(Out):
    """A page of a driver's payments, newest first."""

    items: list[PaymentOut]
    next_cursor: str | None


class DebtOut(Out):
    """An overstay that could not be charged: pay it with POST /payments and its `reservation_id`."""

    reservation_id: str
    amount: int
    since: Instant

    @classmethod
    def of(cls, debt: Debt) -> "DebtOut":
        """The debt as the app shows it."""
        return cls(reservation_id=debt.reservation_id, amount=debt.amount_minor, since=debt.since)


class WalletOut(Out):
    """Prepaid money. `debts` keep the driver from reserving until they are paid."""

    balance: int
    currency: str
    withdrawable_today: int
    debts: list[DebtOut]

    @classmethod
    def of(cls, wallet: Wallet, now: datetime) -> "WalletOut":
        """The wallet as the app shows it."""
        return cls(
            balance=wallet.balance_minor,
            currency=wallet.currency,
            withdrawable_today=withdrawable_minor(wallet, now),
            debts=[DebtOut.of(debt) for debt in wallet.debts],
        )


class SetupOut(Out):
    """Give `client_secret` to Stripe's mobile SDK, which asks for the card and saves it."""

    setup_id: str
    client_secret: str

    @classmethod
    def of(cls, setup: CardSetup) -> "SetupOut":
        """The setup as the app needs it."""
        return cls(setup_id=setup.setup_id, client_secret=setup.client_secret)


class PaymentMethodOut(Out):
    """A saved card, as a person recognises it."""

    payment_method_id: str
    brand: str
    last4: str
    expires_month: int
    expires_year: int
    is_default: bool
    added_at: Instant

    @classmethod
    def of(cls, method: PaymentMethod, default_id: str | None) -> "PaymentMethodOut":
        """The card as the app shows it."""
        return cls(
            payment_method_id=method.payment_method_id,
            brand=method.brand,
            last4=method.last4,
            expires_month=method.expires_month,
            expires_year=method.expires_year,
            is_default=method.payment_method_id == default_id,
            added_at=method.added_at,
        )


class PaymentMethodsOut(Out):
    """All saved cards, in the order of their saving."""

    items: list[PaymentMethodOut]

    @classmethod
    def of(cls, customer: Customer | None) -> "PaymentMethodsOut":
        """The cards of a driver; one who never saved a card has none."""
        methods = customer.payment_methods if customer else ()
        default_id = customer.default_id if customer else None
        return cls(items=[PaymentMethodOut.of(one, default_id) for one in methods])


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
        "payment_method_id": payment.payment_method_id,
        "decline_code": payment.failure_code,
        "refunds": [
            RefundOut(amount=one.amount_minor, status=one.status, requested_at=one.requested_at)
            for one in payment.refunds
        ],
        "dispute": payment.dispute.status if payment.dispute else None,
        "created_at": payment.created_at,
    }
