"""Money out of the wallet, back to the cards that the deposits came from."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking.domain.errors import (
    DailyLimitReached,
    IdempotencyMismatch,
    InsufficientFunds,
    InvalidField,
    WithdrawalUnavailable,
)
from parking.domain.ids import PaymentId
from parking.domain.ledger import DEPOSITS_KEPT, REFUNDS, Deposited, TransactionKind
from parking.domain.payment import Payment, PaymentStatus, Purpose, Refund, RefundStatus
from parking.services import bookings
from parking.services.ports import CardRefund, RefundRefused
from parking.services.wallets import MOST_SOURCES, withdrawable_minor
from tests.builders import a_wallet
from tests.unit.till import Till
from tests.unit.world import ANNA, at

P, R = PaymentStatus, RefundStatus
DAY = date(2026, 12, 1)


def _fund(till: Till, *amounts_minor: int) -> list[Payment]:
    """One deposit after the other, each from a card of its own."""
    return [till.fund(ANNA, amount, key=f"{n}", now=n / 100) for n, amount in enumerate(amounts_minor)]


def _left(till: Till) -> list[int]:
    return [one.left_minor for one in till.wallet().deposits]


def test_a_withdrawal_lowers_the_wallet_at_once_and_reaches_the_card_from_the_stream(till: Till) -> None:
    [deposit] = _fund(till, 2_000)
    payment = till.withdraw(500)
    assert (payment.status, payment.purpose) == (P.PENDING, Purpose.WITHDRAWAL)
    assert (till.balance(), till.on(REFUNDS), till.given_back()) == (1_500, 500, [])
    till.stream(2)
    assert till.stored_payment(payment).status is P.SUCCEEDED
    assert till.stored_payment(deposit).status is P.PARTIALLY_REFUNDED
    assert (till.on(REFUNDS), till.given_back(), _left(till)) == (0, [500], [1_500])
    assert [t.kind for t in till.ledger()][:2] == [TransactionKind.CARD_REFUND, TransactionKind.WITHDRAWAL]


def test_the_oldest_deposit_goes_back_first_and_the_next_when_it_is_used_up(till: Till) -> None:
    deposits = _fund(till, 300, 400, 500)
    payment = till.withdraw(800)
    taken = {refund.source_id: refund.amount_minor for refund in payment.refunds}
    assert taken == {deposits[0].payment_id: 300, deposits[1].payment_id: 400, deposits[2].payment_id: 100}
    assert (_left(till), till.balance()) == ([400], 400)
    till.stream(3)
    statuses = [till.stored_payment(deposit).status for deposit in deposits]
    assert statuses == [P.REFUNDED, P.REFUNDED, P.PARTIALLY_REFUNDED]
    assert sorted(till.given_back()) == [100, 300, 400]


def test_the_same_withdrawal_twice_takes_the_money_once(till: Till) -> None:
    _fund(till, 2_000)
    first = till.withdraw(500)
    till.stream(2)
    again = till.withdraw(500, now=3)
    assert (again.payment_id, again.status) == (first.payment_id, P.PENDING)
    assert till.balance() == 1_500
    with pytest.raises(IdempotencyMismatch):
        till.withdraw(600)


def test_the_same_withdrawal_at_once_is_one_answer_wherever_the_two_meet(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one is done between two reads of the other, which finds an empty wallet."""
    _fund(till, 2_000)
    get, first = till.store.get, list[Payment]()

    def get_and_be_overtaken(*key: Any) -> Any:
        found = get(*key)
        monkeypatch.undo()
        first.append(till.withdraw(2_000))
        return found

    monkeypatch.setattr(till.store, "get", get_and_be_overtaken)
    assert [replace(till.withdraw(2_000), version=0)] == first


def test_no_more_than_the_wallet_holds_can_be_withdrawn(till: Till) -> None:
    _fund(till, 2_000)
    with pytest.raises(InsufficientFunds):
        till.withdraw(2_001)
    assert till.withdraw(2_000).amount_minor == 2_000
    assert till.balance() == 0


@pytest.mark.parametrize(("amount_minor", "accepted"), [(99, False), (100, True), (50_000, True), (50_001, False)])
def test_a_withdrawal_has_limits(till: Till, amount_minor: int, accepted: bool) -> None:
    _fund(till, 50_000, 40_000)
    if accepted:
        assert till.withdraw(amount_minor).amount_minor == amount_minor
    else:
        with pytest.raises(InvalidField):
            till.withdraw(amount_minor)


def test_a_days_withdrawals_have_a_limit_that_the_next_utc_day_lifts(till: Till) -> None:
    _fund(till, 50_000, 50_000)
    till.withdraw(30_000)
    assert withdrawable_minor(till.wallet(), at(3)) == 20_000
    with pytest.raises(DailyLimitReached) as refusal:
        till.withdraw(20_001, key="more")
    assert refusal.value.data == {"left_amount": 20_000, "currency": "EUR"}
    till.withdraw(20_000, key="the rest")
    assert withdrawable_minor(till.wallet(), at(3)) == 0
    assert till.withdraw(50_000, key="tomorrow", now=15 * 60).amount_minor == 50_000


def test_a_disputed_deposit_is_skipped(till: Till) -> None:
    first, second = _fund(till, 300, 700)
    till.fund(ANNA, 200, key="kept")
    till.cards.open_dispute(first.intent_id or "")
    till.dispute_webhook(f"dp_{first.intent_id}", 1)
    assert till.balance() == 900
    payment = till.withdraw(800)
    assert payment.refunds[0].source_id == second.payment_id
    assert first.payment_id not in {refund.source_id for refund in payment.refunds}


def test_what_no_card_can_take_back_says_how_much_they_can(till: Till) -> None:
    first, _ = _fund(till, 300, 700)
    till.cards.open_dispute(first.intent_id or "")
    till.dispute_webhook(f"dp_{first.intent_id}", 1)
    till.cards.close_dispute(f"dp_{first.intent_id}", won=False)
    till.dispute_webhook(f"dp_{first.intent_id}", 2)
    stay = till.reserve(ANNA)
    till.completes(till.pay_by_card(stay), 3)
    till.cards.refunds_start = "failed"  # the stay's money ends in the wallet, and came from no deposit
    bookings.call_off(till.store, ANNA, stay.reservation_id, at(4))
    till.stream(4)
    assert till.balance() == 700 + 480
    till.cards.refunds_start = "succeeded"
    with pytest.raises(WithdrawalUnavailable) as refusal:
        till.withdraw(701, now=5)
    assert refusal.value.data == {"available_amount": 700, "currency": "EUR"}
    assert till.withdraw(700, key="less", now=5).amount_minor == 700


def test_one_withdrawal_reaches_twenty_deposits_and_the_next_the_others(till: Till) -> None:
    _fund(till, *[100] * 25)
    assert withdrawable_minor(till.wallet(), at(2)) == 100 * MOST_SOURCES
    with pytest.raises(WithdrawalUnavailable):
        till.withdraw(100 * MOST_SOURCES + 1)
    assert len(till.withdraw(100 * MOST_SOURCES, key="all").refunds) == MOST_SOURCES
    assert till.withdraw(500, key="others").amount_minor == 500
    assert till.balance() == 0


def test_a_card_that_refuses_its_part_does_not_keep_the_others_waiting(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = _fund(till, 300, 700)
    create_refund = till.cards.create_refund

    def one_refused(holder: Payment, refund: Refund) -> CardRefund:
        if refund.source_id == first.payment_id:
            raise RefundRefused("charge_disputed")
        return create_refund(holder, refund)

    monkeypatch.setattr(till.cards, "create_refund", one_refused)
    payment = till.withdraw(1_000)
    with pytest.raises(RefundRefused):
        till.stream(2)
    assert till.given_back() == [700]
    waiting = till.stored_payment(payment)
    assert (waiting.status, [one.status for one in waiting.refunds]) == (P.PENDING, [R.PENDING, R.SUCCEEDED])
    monkeypatch.undo()
    till.looks(7, 30)
    assert till.stored_payment(payment).status is P.SUCCEEDED


def test_a_part_that_a_card_does_not_take_is_in_the_wallet_again(till: Till) -> None:
    _fund(till, 300, 700)
    till.cards.refunds_start = "pending"
    payment = till.withdraw(1_000)
    till.stream(2)
    first, second = till.stored_payment(payment).refunds
    till.cards.end_refund(first.stripe_id or "", "failed")
    till.cards.end_refund(second.stripe_id or "", "succeeded")
    assert till.refund_webhook(payment, 3).status is P.SUCCEEDED
    assert till.balance() == 300
    assert "REFUNDED_TO_WALLET" in till.told()


def test_a_withdrawal_that_no_card_takes_has_failed(till: Till) -> None:
    _fund(till, 300)
    till.cards.refunds_start = "failed"
    payment = till.withdraw(300)
    till.stream(2)
    assert till.stored_payment(payment).status is P.FAILED
    assert till.balance() == 300


def test_two_withdrawals_at_once_take_no_deposit_twice(till: Till) -> None:
    _fund(till, 1_000)
    till.store.meanwhile(lambda: till.withdraw(600, key="other device"))
    with pytest.raises(InsufficientFunds):
        till.withdraw(600)
    assert till.balance() == 400
    till.stream(3)
    assert till.given_back() == [600]


def test_a_withdrawal_and_a_payment_at_once_spend_no_money_twice(till: Till) -> None:
    till.fund(ANNA, 500)
    held = till.reserve(ANNA)
    till.store.meanwhile(lambda: till.pay(held))
    with pytest.raises(InsufficientFunds):
        till.withdraw(500)
    assert till.balance() == 20


@pytest.mark.parametrize(("balance_minor", "kept"), [(0, 50), (5_000, 50), (5_001, 51), (6_000, 60)])
def test_of_sixty_deposits_fifty_are_remembered_or_as_many_as_cover_the_balance(balance_minor: int, kept: int) -> None:
    wallet = a_wallet(balance_minor=balance_minor)
    for n in range(60):
        wallet = wallet.filled(Deposited(PaymentId(f"pay_{n}"), 100), DAY)
    assert [one.payment_id for one in wallet.deposits] == [PaymentId(f"pay_{n}") for n in range(60 - kept, 60)]


@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=2 * DEPOSITS_KEPT), st.integers(0, 10_000))
def test_a_wallet_remembers_as_many_deposits_as_cover_it_and_no_more_than_it_must(
    amounts_minor: list[int], spent_minor: int
) -> None:
    wallet = a_wallet(balance_minor=max(0, sum(amounts_minor) - spent_minor))
    for n, amount in enumerate(amounts_minor):
        wallet = wallet.filled(Deposited(PaymentId(f"pay_{n}"), amount), DAY)
    kept = sum(one.left_minor for one in wallet.deposits)
    assert kept >= min(wallet.balance_minor, sum(amounts_minor))
    assert [one.payment_id for one in wallet.deposits] == [
        PaymentId(f"pay_{n}") for n in range(len(amounts_minor) - len(wallet.deposits), len(amounts_minor))
    ]
    assert len(wallet.deposits) >= min(DEPOSITS_KEPT, len(amounts_minor))
    too_many = len(wallet.deposits) > DEPOSITS_KEPT
    assert not too_many or kept - wallet.deposits[0].left_minor < wallet.balance_minor
    assert wallet.deposited_minor(DAY) == sum(amounts_minor)


def test_what_was_given_back_entirely_is_forgotten() -> None:
    first, second = Deposited(PaymentId("pay_1"), 300), Deposited(PaymentId("pay_2"), 400)
    wallet = a_wallet(deposits=(first, second)).gave_back({first.payment_id: 300, second.payment_id: 100}, DAY)
    assert wallet.deposits == (Deposited(second.payment_id, 300),)
    assert wallet.withdrawn_minor(DAY) == 400
    assert wallet.withdrawn_minor(date(2026, 12, 2)) == 0
