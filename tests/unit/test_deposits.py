"""Filling the wallet by card: it grows when Stripe says that the money came, once."""

from dataclasses import replace
from typing import Any

import pytest

from parking.domain.errors import CardDeclined, DailyLimitReached, IdempotencyMismatch, InvalidField, NotFound
from parking.domain.ids import PaymentId
from parking.domain.ledger import Deposited
from parking.domain.payment import Payment, PaymentStatus
from parking.services.card_payments import settle
from parking.services.owned import payment_of
from parking.services.ports import CardError, Intent
from tests.unit.till import DAY, Till, intent_of
from tests.unit.world import ANNA, BORIS, at, english

P = PaymentStatus


def test_a_deposit_waits_for_stripes_word(till: Till) -> None:
    answer = till.deposit()
    assert answer.payment.status is P.REQUIRES_ACTION
    assert answer.client_secret == f"{intent_of(answer.payment)}_secret"
    assert till.webhook(answer.payment, 1).status is P.REQUIRES_ACTION
    assert till.balance() == 0


def test_a_doubled_webhook_credits_once(till: Till) -> None:
    answer = till.deposit()
    till.cards.pay(intent_of(answer.payment))
    for minutes in (1, 1, 3 * DAY):
        assert till.webhook(answer.payment, minutes).status is P.SUCCEEDED
    assert till.balance() == 2_000
    assert [n.kind for n in till.inbox()] == ["DEPOSIT_SUCCEEDED"]
    assert "20.00 EUR added" in english(till.inbox()[0])
    assert [t.payment_id for t in till.ledger()] == [answer.payment.payment_id]
    assert till.wallet().deposits == (Deposited(answer.payment.payment_id, 2_000),)


def test_two_webhooks_at_once_credit_once(till: Till) -> None:
    answer = till.deposit()
    till.cards.pay(intent_of(answer.payment))
    till.store.meanwhile(lambda: till.webhook(answer.payment, 1))
    assert till.webhook(answer.payment, 1).status is P.SUCCEEDED
    assert till.store.lost_races == 1
    assert till.balance() == 2_000


def test_a_webhook_that_is_faster_than_our_own_answer_credits_once(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    create_intent = till.cards.create_intent

    def hasty(payment: Payment) -> Intent:
        intent = create_intent(payment)
        settle(till.store, till.cards.pay(intent.intent_id), at(0))
        return intent

    monkeypatch.setattr(till.cards, "create_intent", hasty)
    for _ in range(2):
        assert till.deposit().payment.status is P.REQUIRES_ACTION
        assert till.balance() == 2_000
    assert till.payments()[0].status is P.SUCCEEDED


def test_a_deposit_whose_answer_was_lost_ends_in_one_payment_intent(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_intent, made = till.cards.create_intent, list[str]()

    def forgetful(payment: Payment) -> Intent:
        made.append(create_intent(payment).intent_id)
        if len(made) == 1:
            raise CardError("the answer was lost")
        return create_intent(payment)

    monkeypatch.setattr(till.cards, "create_intent", forgetful)
    with pytest.raises(CardError):
        till.deposit()
    answer = till.deposit()
    assert set(made) == {intent_of(answer.payment)}
    assert till.completes(answer, 1).status is P.SUCCEEDED
    assert till.balance() == 2_000


def test_the_same_deposit_twice_is_one_payment_and_one_intent(till: Till) -> None:
    first, second = till.deposit(), till.deposit()
    assert replace(second.payment, version=0) == replace(first.payment, version=0)
    assert second.client_secret == first.client_secret
    assert len(till.payments()) == 1
    with pytest.raises(IdempotencyMismatch):
        till.deposit(amount_minor=3_000)


def test_a_repeated_deposit_gets_its_first_answer_after_the_money_came(till: Till) -> None:
    first = till.deposit()
    till.completes(first, 1)
    again = till.deposit(now=2)
    assert (again.payment.status, again.client_secret) == (P.REQUIRES_ACTION, first.client_secret)
    assert till.balance() == 2_000


@pytest.mark.parametrize("change", [{"amount_received_minor": 1_999}, {"currency": "USD"}])
def test_another_amount_than_was_asked_is_not_credited(change: dict[str, Any]) -> None:
    till = Till()
    intent = till.cards.pay(intent_of(till.deposit().payment))
    with pytest.raises(CardError):
        settle(till.store, replace(intent, **change), at(1))
    assert till.balance() == 0


def test_a_deposit_that_stripe_cancelled_is_cancelled_for_good(till: Till) -> None:
    answer = till.deposit()
    till.cards.cancel_intent(intent_of(answer.payment))
    for _ in range(2):
        assert till.webhook(answer.payment, 1).status is P.CANCELLED
    assert till.balance() == 0


@pytest.mark.parametrize("nameless", [{"user_id": None}, {"payment_id": None}, {"payment_id": "pay_none"}])
def test_an_intent_that_is_not_ours_is_left_alone(nameless: dict[str, Any], till: Till) -> None:
    intent = till.cards.intent(intent_of(till.deposit().payment))
    foreign = replace(intent, status="succeeded", amount_received_minor=2_000, **nameless)
    assert settle(till.store, foreign, at(1)) is None
    assert till.balance() == 0


@pytest.mark.parametrize(("amount_minor", "accepted"), [(99, False), (100, True), (50_000, True), (50_001, False)])
def test_a_deposit_has_limits(till: Till, amount_minor: int, accepted: bool) -> None:
    if accepted:
        assert till.deposit(amount_minor=amount_minor).payment.amount_minor == amount_minor
    else:
        with pytest.raises(InvalidField) as refusal:
            till.deposit(amount_minor=amount_minor)
        assert refusal.value.field == "amount"
        assert till.payments() == []


def test_a_days_deposits_have_a_limit_that_the_next_utc_day_lifts(till: Till) -> None:
    for n in range(2):
        till.completes(till.deposit(amount_minor=45_000, key=str(n)), 1)
    with pytest.raises(DailyLimitReached) as refusal:
        till.deposit(amount_minor=10_001, key="more")
    assert refusal.value.data == {"left_amount": 10_000, "currency": "EUR"}
    till.completes(till.deposit(amount_minor=10_000, key="the rest"), 1)
    tomorrow = 15 * 60  # NOW is 9:00
    assert till.deposit(amount_minor=50_000, key="tomorrow", now=tomorrow).payment.amount_minor == 50_000


def test_forms_that_are_open_count_for_the_day_until_they_are_given_up(till: Till) -> None:
    for n in range(2):
        till.deposit(amount_minor=45_000, key=str(n))
    with pytest.raises(DailyLimitReached) as refusal:
        till.deposit(amount_minor=10_001, key="more")
    assert refusal.value.data == {"left_amount": 10_000, "currency": "EUR"}
    till.looks(60, 70)
    assert till.deposit(amount_minor=50_000, key="more", now=71).payment.status is P.REQUIRES_ACTION


def test_of_two_forms_at_once_that_are_too_much_together_one_is_refused(till: Till) -> None:
    till.completes(till.deposit(amount_minor=50_000), 1)
    till.store.meanwhile(lambda: till.deposit(amount_minor=30_000, key="one", now=2))
    with pytest.raises(DailyLimitReached):
        till.deposit(amount_minor=30_000, key="other", now=2)
    assert till.store.lost_races == 1


def test_an_open_form_counts_however_many_payments_came_after_it(till: Till) -> None:
    till.deposit(amount_minor=50_000, key="form")
    stored = till.payments()[0]
    later = [replace(stored, payment_id=PaymentId(f"pay_z{n}"), status=P.CANCELLED, version=0) for n in range(120)]
    for one in later:
        till.store.commit(one)
    with pytest.raises(DailyLimitReached):
        [till.deposit(amount_minor=50_000, key=key) for key in ("second", "third")]


def test_a_saved_card_fills_the_wallet_at_once(till: Till) -> None:
    card = till.save_card()
    answer = till.deposit(card=card)
    assert (answer.payment.status, answer.client_secret) == (P.SUCCEEDED, None)
    assert till.balance() == 2_000
    assert till.deposit(card=card).payment.status is P.SUCCEEDED
    assert till.balance() == 2_000


def test_a_declined_saved_card_fills_nothing(till: Till) -> None:
    card = till.save_card()
    till.cards.declines[card] = "insufficient_funds"
    with pytest.raises(CardDeclined) as refusal:
        till.deposit(card=card)
    assert refusal.value.data == {"decline_code": "insufficient_funds"}
    till.stream(1)
    assert till.payments()[0].status is P.FAILED
    assert till.balance() == 0


def test_another_drivers_payment_is_not_found(till: Till) -> None:
    payment = till.deposit().payment
    assert payment_of(till.store, ANNA, payment.payment_id).amount_minor == 2_000
    for user, payment_id in ((BORIS, payment.payment_id), (ANNA, PaymentId("pay_none"))):
        with pytest.raises(NotFound):
            payment_of(till.store, user, payment_id)
