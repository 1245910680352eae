"""The ledger and the wallet."""

from contextlib import suppress
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
    moved,
    record,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ANNA = UserId("anna")


def a_move(debit: str, credit: str, amount_minor: int, payment: str = "pay_1", currency: str = "EUR") -> Transaction:
    """A transaction of Anna's."""
    return record(
        TransactionKind.DEPOSIT,
        user_id=ANNA,
        payment_id=PaymentId(payment),
        reservation_id=None,
        entries=moved(amount_minor, debit=debit, credit=credit),
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
    transaction = a_move(debit, credit, amount_minor)
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
        transaction = a_move(debit, credit, abs(amount), f"pay_{number}")
        with suppress(InsufficientFunds):
            wallet = wallet.after(transaction)
            entries.append(transaction.wallet_amount_minor)
        assert wallet.balance_minor == sum(entries) >= 0


def test_a_payment_may_empty_the_wallet_but_not_by_one_more() -> None:
    wallet = Wallet(user_id=ANNA, currency="EUR", balance_minor=500)
    assert wallet.after(a_move(WALLET, REVENUE, 500)).balance_minor == 0
    with pytest.raises(InsufficientFunds) as refusal:
        wallet.after(a_move(WALLET, REVENUE, 501))
    assert refusal.value.data == {"balance_minor": 500, "amount_minor": 501, "currency": "EUR"}


@pytest.mark.parametrize(
    "wallet", [Wallet(user_id=UserId("boris"), currency="EUR"), Wallet(user_id=ANNA, currency="USD")]
)
def test_a_wallet_refuses_money_of_another_driver_or_currency(wallet: Wallet) -> None:
    with pytest.raises(InvariantBroken):
        wallet.after(a_move(STRIPE, WALLET, 100))


def test_transactions_of_one_payment_and_kind_have_one_id_and_later_ones_sort_later() -> None:
    first = a_move(STRIPE, WALLET, 100)
    assert a_move(STRIPE, WALLET, 100).transaction_id == first.transaction_id
    later = record(
        TransactionKind.REFUND,
        user_id=ANNA,
        payment_id=PaymentId("pay_0"),
        reservation_id=ReservationId("res_1"),
        entries=moved(1, debit=REVENUE, credit=WALLET),
        currency="EUR",
        now=NOW.replace(microsecond=1000),
    )
    assert later.transaction_id > first.transaction_id
