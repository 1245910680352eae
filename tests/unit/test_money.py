"""The ledger, the wallet and the life of a payment."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking.domain.errors import InsufficientFunds, InvariantBroken
from parking.domain.ids import PaymentId, ReservationId, TransactionId, UserId
from parking.domain.ledger import (
    REVENUE,
    STRIPE,
    WALLET,
    Entry,
    Transaction,
    TransactionKind,
    Wallet,
    record,
)
from parking.domain.payment import Payment, PaymentStatus
from tests.builders import a_payment

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANNA = UserId("anna")


def moved(debit: str, credit: str, amount_minor: int, payment: str = "pay_1", currency: str = "EUR") -> Transaction:
    """A transaction of Anna's."""
    return record(
        TransactionKind.DEPOSIT,
        user_id=ANNA,
        payment_id=PaymentId(payment),
        reservation_id=None,
        amount_minor=amount_minor,
        debit=debit,
        credit=credit,
        currency=currency,
        now=NOW,
    )


@pytest.mark.parametrize(
    "entries",
    [(), (Entry(WALLET, 1),), (Entry(WALLET, 100), Entry(STRIPE, -99)), (Entry(WALLET, -1), Entry(STRIPE, 2))],
)
def test_a_transaction_that_makes_or_loses_money_cannot_be_made(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(InvariantBroken):
        Transaction(
            user_id=ANNA,
            transaction_id=TransactionId("txn_1"),
            kind=TransactionKind.DEPOSIT,
            entries=entries,
            currency="EUR",
            payment_id=PaymentId("pay_1"),
            reservation_id=None,
            created_at=NOW,
        )


@given(st.integers(0, 10**9), st.permutations([WALLET, STRIPE, REVENUE]))
def test_every_recorded_transaction_adds_up_to_zero(amount_minor: int, accounts: list[str]) -> None:
    debit, credit, _ = accounts
    transaction = moved(debit, credit, amount_minor)
    assert sum(entry.amount_minor for entry in transaction.entries) == 0
    assert {entry.account: entry.amount_minor for entry in transaction.entries} == {
        debit: -amount_minor,
        credit: amount_minor,
    }


@given(st.lists(st.integers(-500, 500)))
def test_a_wallet_is_never_below_zero_and_equals_the_sum_of_what_it_took_in(amounts: list[int]) -> None:
    wallet, entries = Wallet(user_id=ANNA, currency="EUR"), list[int]()
    for number, amount in enumerate(amounts):
        debit, credit = (STRIPE, WALLET) if amount >= 0 else (WALLET, REVENUE)
        transaction = moved(debit, credit, abs(amount), f"pay_{number}")
        with suppress(InsufficientFunds):
            wallet = wallet.after(transaction)
            entries.append(transaction.wallet_amount_minor)
        assert wallet.balance_minor == sum(entries) >= 0


def test_a_payment_may_empty_the_wallet_but_not_by_one_more() -> None:
    wallet = Wallet(user_id=ANNA, currency="EUR", balance_minor=500)
    assert wallet.after(moved(WALLET, REVENUE, 500)).balance_minor == 0
    with pytest.raises(InsufficientFunds) as refusal:
        wallet.after(moved(WALLET, REVENUE, 501))
    assert refusal.value.data == {"balance_minor": 500, "amount_minor": 501, "currency": "EUR"}


@pytest.mark.parametrize(
    "wallet", [Wallet(user_id=UserId("boris"), currency="EUR"), Wallet(user_id=ANNA, currency="USD")]
)
def test_a_wallet_refuses_money_of_another_driver_or_currency(wallet: Wallet) -> None:
    with pytest.raises(InvariantBroken):
        wallet.after(moved(STRIPE, WALLET, 100))


def test_transactions_of_one_payment_and_kind_have_one_id_and_later_ones_sort_later() -> None:
    first = moved(STRIPE, WALLET, 100)
    assert moved(STRIPE, WALLET, 100).transaction_id == first.transaction_id
    later = record(
        TransactionKind.REFUND,
        user_id=ANNA,
        payment_id=PaymentId("pay_0"),
        reservation_id=ReservationId("res_1"),
        amount_minor=1,
        debit=REVENUE,
        credit=WALLET,
        currency="EUR",
        now=NOW.replace(microsecond=1000),
    )
    assert later.transaction_id > first.transaction_id


P = PaymentStatus
PAYMENT_STEPS = {
    P.PENDING: {P.REQUIRES_ACTION, P.SUCCEEDED, P.FAILED, P.CANCELLED},
    P.REQUIRES_ACTION: {P.SUCCEEDED, P.FAILED, P.CANCELLED},
    P.SUCCEEDED: {P.REFUNDED},
}


@pytest.mark.parametrize("before", PaymentStatus)
@pytest.mark.parametrize("after", PaymentStatus)
def test_a_payment_moves_only_along_its_table(before: PaymentStatus, after: PaymentStatus) -> None:
    payment = a_payment(status=before)
    if after in PAYMENT_STEPS.get(before, set()):
        assert payment.moved_to(after) == replace(payment, status=after)
    else:
        with pytest.raises(InvariantBroken):
            payment.moved_to(after)


@pytest.mark.parametrize("status", PaymentStatus)
def test_money_may_still_come_only_before_the_payment_has_an_outcome(status: PaymentStatus) -> None:
    assert a_payment(status=status).open is (status in (P.PENDING, P.REQUIRES_ACTION))


@given(st.integers(1, 10**6), st.integers(-10, 10**6 + 10))
def test_a_refund_is_more_than_nothing_and_never_more_than_was_paid(paid_minor: int, refund_minor: int) -> None:
    payment = a_payment(status=P.SUCCEEDED, amount_minor=paid_minor)
    if 0 < refund_minor <= paid_minor:
        refunded = payment.refunded(refund_minor)
        assert (refunded.status, refunded.refunded_minor) == (P.REFUNDED, refund_minor)
    else:
        with pytest.raises(InvariantBroken):
            payment.refunded(refund_minor)


def test_a_payment_is_refunded_once() -> None:
    refunded: Payment = a_payment(status=P.SUCCEEDED, amount_minor=500).refunded(500)
    with pytest.raises(InvariantBroken):
        refunded.refunded(1)
