"""The life of a payment: the state table, what of it is open, due and refundable, and refunds that never exceed it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking.domain.errors import InvariantBroken
from parking.domain.ids import RefundId
from parking.domain.payment import (
    LOOK_AFTER,
    LOOK_AT_REFUSED_AFTER,
    Dispute,
    DisputeStatus,
    Payment,
    PaymentStatus,
    Purpose,
    Refund,
    RefundStatus,
)
from tests.builders import NOW, a_payment, a_refund

P, R = PaymentStatus, RefundStatus
NOT_CHARGED = (P.PENDING, P.REQUIRES_ACTION, P.CANCELLING, P.FAILED, P.CANCELLED)
CHARGED = (P.SUCCEEDED, P.REFUND_PENDING, P.PARTIALLY_REFUNDED, P.REFUNDED)
STEPS = {
    P.PENDING: {P.REQUIRES_ACTION, P.CANCELLING, P.SUCCEEDED, P.FAILED, P.CANCELLED},
    P.REQUIRES_ACTION: {P.PENDING, P.CANCELLING, P.SUCCEEDED, P.FAILED, P.CANCELLED},
    P.CANCELLING: {P.SUCCEEDED, P.FAILED, P.CANCELLED},
    P.FAILED: {P.SUCCEEDED},
    P.CANCELLED: {P.SUCCEEDED},
    P.SUCCEEDED: {P.FAILED, P.REFUND_PENDING, P.PARTIALLY_REFUNDED, P.REFUNDED},
    P.REFUND_PENDING: {P.PARTIALLY_REFUNDED, P.REFUNDED},
    P.PARTIALLY_REFUNDED: {P.REFUND_PENDING, P.REFUNDED},
    P.REFUNDED: set[PaymentStatus](),
}


def _paid(amount_minor: int = 500, **over: Any) -> Payment:
    return a_payment(status=P.SUCCEEDED, intent_id="pi_1", amount_minor=amount_minor, **over)


def _refund(amount_minor: int, number: int = 0, **over: Any) -> Refund:
    return a_refund(refund_id=RefundId(f"rfd_{number}"), amount_minor=amount_minor, **over)


def _disputed(status: DisputeStatus) -> Dispute:
    return Dispute(stripe_id="dp_1", amount_minor=500, from_wallet_minor=0, status=status, opened_at=NOW)


@pytest.mark.parametrize("before", PaymentStatus)
@pytest.mark.parametrize("after", PaymentStatus)
def test_a_payment_moves_only_along_its_table(before: PaymentStatus, after: PaymentStatus) -> None:
    payment = a_payment(status=before)
    if after in STEPS[before]:
        assert payment.moved_to(after) == replace(payment, status=after)
    else:
        with pytest.raises(InvariantBroken):
            payment.moved_to(after)


@given(st.lists(st.sampled_from(PaymentStatus), max_size=12))
def test_what_was_charged_once_is_never_uncharged_by_any_walk_of_a_payment(walk: list[PaymentStatus]) -> None:
    payment, charged = a_payment(), False
    for status in walk:
        if status in STEPS[payment.status] and (payment.status, status) != (P.SUCCEEDED, P.FAILED):  # a withdrawal's
            payment = payment.moved_to(status)
            assert payment.charged or not charged
            charged = payment.charged


@pytest.mark.parametrize("status", PaymentStatus)
def test_money_is_awaited_only_before_the_payment_has_an_outcome(status: PaymentStatus) -> None:
    payment = a_payment(status=status)
    assert payment.open is (status in (P.PENDING, P.REQUIRES_ACTION))
    assert payment.charged is (status in CHARGED)
    assert not replace(payment, purpose=Purpose.WITHDRAWAL).open


@pytest.mark.parametrize("status", PaymentStatus)
def test_a_look_is_due_while_stripe_and_we_have_something_to_settle(status: PaymentStatus) -> None:
    payment = a_payment(status=status)
    assert (payment.due is not None) is (status in (P.PENDING, P.REQUIRES_ACTION, P.CANCELLING))
    owed = replace(payment, refunds=(a_refund(),))
    assert owed.due is not None
    assert owed.due.at == NOW + LOOK_AFTER
    assert replace(payment, refunds=(a_refund(status=R.SUCCEEDED),)).due == payment.due


@pytest.mark.parametrize("status", PaymentStatus)
@pytest.mark.parametrize("off_session", [False, True])
def test_the_stream_has_work_only_where_no_driver_waits(status: PaymentStatus, off_session: bool) -> None:
    payment = a_payment(status=status, off_session=off_session)
    absent_driver = off_session and status in (P.PENDING, P.REQUIRES_ACTION)
    assert payment.asks_stripe is (status is P.CANCELLING or absent_driver)
    assert replace(payment, refunds=(a_refund(),)).asks_stripe


@pytest.mark.parametrize(
    ("status", "refusals", "pause"),
    [
        (P.PENDING, [], LOOK_AFTER),
        (P.CANCELLING, [], LOOK_AFTER),
        (P.REFUND_PENDING, [None], LOOK_AFTER),
        (P.REFUND_PENDING, ["charge_disputed"], LOOK_AT_REFUSED_AFTER),
        (P.REFUND_PENDING, ["charge_disputed", None], LOOK_AFTER),
        (P.CANCELLING, ["charge_disputed"], LOOK_AFTER),
    ],
)
def test_only_what_stripe_has_refused_altogether_is_looked_at_seldom(
    status: PaymentStatus, refusals: list[str | None], pause: timedelta
) -> None:
    refunds = tuple(_refund(100, number, refused=code) for number, code in enumerate(refusals))
    now = NOW + timedelta(days=3)
    looked_at = a_payment(status=status, refunds=refunds).looked_at(now)
    assert looked_at.due is not None
    assert looked_at.due.at == now + pause


@pytest.mark.parametrize("status", [P.PENDING, P.REQUIRES_ACTION])
def test_an_abandoned_payment_is_cancelled_at_stripe_before_it_is_over(status: PaymentStatus) -> None:
    abandoned = a_payment(status=status).abandoned(NOW)
    assert abandoned.status is P.CANCELLING
    assert abandoned.due is not None
    assert abandoned.due.at == NOW + LOOK_AFTER
    assert abandoned.closed().status is P.CANCELLED
    assert replace(abandoned, failure_code="insufficient_funds").closed().status is P.FAILED


@pytest.mark.parametrize("status", NOT_CHARGED)
def test_what_was_never_charged_can_not_be_refunded(status: PaymentStatus) -> None:
    payment = a_payment(status=status)
    assert payment.refundable_minor == 0
    with pytest.raises(InvariantBroken):
        payment.refunded(1)


@given(st.integers(1, 10**6), st.integers(-10, 10**6 + 10))
def test_a_refund_is_more_than_nothing_and_never_more_than_was_paid(paid_minor: int, refund_minor: int) -> None:
    payment = _paid(paid_minor)
    if 0 < refund_minor <= paid_minor:
        refunded = payment.refunded(refund_minor)
        status = P.REFUNDED if refund_minor == paid_minor else P.PARTIALLY_REFUNDED
        assert (refunded.status, refunded.refunded_minor) == (status, refund_minor)
    else:
        with pytest.raises(InvariantBroken):
            payment.refunded(refund_minor)


@given(st.lists(st.tuples(st.integers(1, 400), st.sampled_from(["wallet", *RefundStatus])), max_size=6))
def test_refunds_of_all_kinds_together_never_exceed_what_was_paid(wishes: list[tuple[int, str]]) -> None:
    payment = _paid(500)
    for number, (amount_minor, where) in enumerate(wishes):
        if amount_minor > payment.refundable_minor:
            with pytest.raises(InvariantBroken):
                payment.owing(_refund(amount_minor, number))
        elif where == "wallet":
            payment = payment.refunded(amount_minor)
        else:
            payment = payment.owing(_refund(amount_minor, number))
            payment = payment.with_refund(_refund(amount_minor, number, status=RefundStatus(where)))
        assert payment.refunded_minor + payment.refundable_minor == 500
        assert payment.status is _expected(payment)


def _expected(payment: Payment) -> PaymentStatus:
    if payment.pending_refunds:
        return P.REFUND_PENDING
    if payment.refunded_minor == 0:
        return P.SUCCEEDED
    return P.REFUNDED if payment.refunded_minor == payment.amount_minor else P.PARTIALLY_REFUNDED


def test_a_payment_is_refunded_once() -> None:
    refunded = _paid(500).refunded(500)
    with pytest.raises(InvariantBroken):
        refunded.refunded(1)


@pytest.mark.parametrize(
    ("status", "left_minor"), [(DisputeStatus.OPEN, 0), (DisputeStatus.LOST, 0), (DisputeStatus.WON, 500)]
)
def test_what_a_bank_disputes_or_has_taken_is_not_refundable(status: DisputeStatus, left_minor: int) -> None:
    assert _paid(500, dispute=_disputed(status)).refundable_minor == left_minor


@pytest.mark.parametrize(
    ("refunds", "status"),
    [
        ((R.PENDING, R.SUCCEEDED), P.PENDING),
        ((R.SUCCEEDED, R.SUCCEEDED), P.SUCCEEDED),
        ((R.SUCCEEDED, R.TO_WALLET), P.SUCCEEDED),
        ((R.TO_WALLET, R.TO_WALLET), P.FAILED),
    ],
)
def test_a_withdrawal_is_as_far_as_its_refunds(refunds: tuple[RefundStatus, ...], status: PaymentStatus) -> None:
    payment = a_payment(
        purpose=Purpose.WITHDRAWAL, refunds=tuple(_refund(100, number) for number in range(len(refunds)))
    )
    for number, one in enumerate(refunds):
        payment = payment.with_refund(_refund(100, number, status=one))
    assert payment.status is status


def test_a_withdrawal_that_reached_the_card_fails_when_the_bank_sends_it_back() -> None:
    payment = a_payment(purpose=Purpose.WITHDRAWAL, refunds=(_refund(100),))
    arrived = payment.with_refund(_refund(100, status=R.SUCCEEDED))
    assert arrived.with_refund(_refund(100, status=R.TO_WALLET)).status is P.FAILED
