"""The schedule that looks after payments: the pauses, forms that nobody fills in, keys that Stripe forgot."""

import pytest

from parking.domain.blocker import Occupancy, Position
from parking.domain.payment import Payment, PaymentStatus, Purpose, Refund, RefundStatus
from parking.services import bookings
from parking.services.ports import CardError, CardRefund, Intent, RefundRefused
from parking.services.settling import carry_out
from tests.unit.till import DAY, Till, intent_of
from tests.unit.world import ANNA, at

P, R = PaymentStatus, RefundStatus


def _unreachable(*_: object, **__: object) -> Intent:
    raise CardError("no answer")


def test_what_is_not_settled_is_looked_at_every_five_minutes(till: Till) -> None:
    till.pay_by_card(till.reserve(ANNA), now=0)
    assert [minute for minute in range(21) if till.look(minute).moved] == [5, 10, 15, 20]


def test_what_stripe_refuses_is_looked_at_every_six_hours(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    held = till.reserve(ANNA)
    till.completes(till.pay_by_card(held), 2)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(5))
    asked, now = list[float](), 0.0

    def refused(holder: Payment, refund: Refund) -> CardRefund:
        asked.append(now)
        raise RefundRefused("charge_disputed")

    monkeypatch.setattr(till.cards, "create_refund", refused)
    for minute in range(14 * 60):
        now = minute
        till.look(now)
    assert asked == [10, 10 + 6 * 60, 10 + 12 * 60]


def test_a_look_brings_in_what_no_webhook_told(till: Till) -> None:
    answer = till.deposit()
    till.cards.pay(intent_of(answer.payment))
    assert till.look(4).moved == 0
    assert till.look(5).moved == 1
    assert till.balance() == 2_000
    assert till.stored_payment(answer.payment).due is None


def test_what_stripe_cannot_answer_is_put_off_and_reported(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = till.deposit()
    till.cards.pay(intent_of(answer.payment))
    monkeypatch.setattr(till.cards, "intent", _unreachable)
    swept = till.look(5)
    assert [type(failure) for failure in swept.failures.values()] == [CardError]
    due = till.stored_payment(answer.payment).due
    assert due
    assert due.at == at(10)
    monkeypatch.undo()
    till.look(10)
    assert till.balance() == 2_000


def test_one_payment_that_fails_does_not_keep_the_others_waiting(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = till.deposit(key="bad"), till.deposit(key="good")
    till.cards.pay(intent_of(good.payment))
    intent = till.cards.intent

    def one_unreachable(intent_id: str) -> Intent:
        return _unreachable() if intent_id == intent_of(bad.payment) else intent(intent_id)

    monkeypatch.setattr(till.cards, "intent", one_unreachable)
    swept = till.look(5)
    assert (swept.moved, list(swept.failures)) == (1, [bad.payment.key])
    assert till.balance() == 2_000


def test_a_deposit_form_that_nobody_fills_in_is_cancelled_after_an_hour(till: Till) -> None:
    answer = till.deposit()
    till.looks(5, 55)
    assert till.stored_payment(answer.payment).status is P.REQUIRES_ACTION
    till.looks(60, 120)
    assert till.stored_payment(answer.payment).status is P.CANCELLED
    assert till.cards.intent(intent_of(answer.payment)).status == "canceled"


def test_a_deposit_that_the_bank_is_still_working_on_is_not_lost_after_an_hour(till: Till) -> None:
    answer = till.deposit()
    till.cards.processing(intent_of(answer.payment))
    till.looks(5, 120)
    till.completes(answer, 121)
    assert till.balance() == 2_000


def test_a_stays_open_card_lives_as_long_as_its_hold(till: Till) -> None:
    held = till.reserve(ANNA)
    answer = till.pay_by_card(held)
    till.looks(5, 9, step=1)
    assert till.stored_payment(answer.payment).status is P.REQUIRES_ACTION
    till.tick(10)
    till.looks(15, 30)
    assert till.stored_payment(answer.payment).status is P.CANCELLED


def test_a_payment_that_never_reached_stripe_is_cancelled_there_by_its_key(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = till.reserve(ANNA)
    monkeypatch.setattr(till.cards, "create_intent", _unreachable)
    with pytest.raises(CardError):
        till.pay_by_card(held)
    till.tick(10)
    monkeypatch.undo()
    till.looks(16, 60)
    [payment] = till.payments()
    assert payment.status is P.CANCELLED
    assert till.cards.intent(f"pi_{payment.payment_id}").status == "canceled"


def _keys_forgotten(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripe is down for a day: whatever is created after it is a second one."""
    for name in ("create_intent", "create_refund", "intent", "refunds_of"):
        monkeypatch.setattr(till.cards, name, _unreachable)


def test_after_its_key_expired_a_cancelled_payment_without_intent_makes_none(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = till.reserve(ANNA)
    _keys_forgotten(till, monkeypatch)
    with pytest.raises(CardError):
        till.pay_by_card(held)
    till.tick(10)
    [payment] = till.payments()
    with pytest.raises(CardError):
        carry_out(till.store, till.cards, payment.key, at(23 * 60))  # 22 h 59 min old: the key still says the same
    carry_out(till.store, till.cards, payment.key, at(23 * 60 + 1))
    assert till.stored_payment(payment).status is P.CANCELLED
    monkeypatch.undo()


def test_after_its_key_expired_an_overstay_without_intent_is_owed_and_not_charged(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.save_card()
    stay = till.active(funds=480)
    for minute in (180, 191):
        till.device_reports(minute, Position.LOWERED, Occupancy.OCCUPIED)
        till.tick(minute)
    bookings.leave(till.store, ANNA, stay.reservation_id, at(210))
    _keys_forgotten(till, monkeypatch)
    with pytest.raises(CardError):
        till.stream(210)
    for _ in range(2):  # abandoned, then closed
        till.stream(210 + 23 * 60)
    [payment] = till.payments(Purpose.OVERSTAY)
    assert payment.status is P.CANCELLED
    assert [debt.amount_minor for debt in till.wallet().debts] == [240]
    monkeypatch.undo()
    till.stream(3 * DAY)
    assert till.charges() == [480]


def test_after_its_key_expired_a_refund_is_looked_for_before_it_is_asked_for_again(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = till.reserve(ANNA)
    till.completes(till.pay_by_card(held), 2)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(5))
    create_refund = till.cards.create_refund

    def forgetful(holder: Payment, refund: Refund) -> CardRefund:
        create_refund(holder, refund)
        raise CardError("the answer was lost")

    monkeypatch.setattr(till.cards, "create_refund", forgetful)
    with pytest.raises(CardError):
        till.stream(5)
    monkeypatch.setattr(till.cards, "create_refund", _unreachable)  # asked again, it would be made again
    till.stream(5 + 23 * 60)
    [payment] = till.payments()
    assert (payment.status, payment.refunds[0].status) == (P.REFUNDED, R.SUCCEEDED)


def test_a_refund_that_never_reached_stripe_is_still_made_after_its_key_expired(till: Till) -> None:
    held = till.reserve(ANNA)
    till.completes(till.pay_by_card(held), 2)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(5))
    till.stream(5 + 30 * 60)
    assert till.given_back() == [480]


def test_carrying_out_what_is_settled_does_nothing(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = till.fund(ANNA)
    _keys_forgotten(till, monkeypatch)
    carry_out(till.store, till.cards, payment.key, at(9))
    assert till.stored_payment(payment) == till.payments()[0]
    monkeypatch.undo()
