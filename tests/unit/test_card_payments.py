"""A stay paid by card: new and saved cards, 3-D Secure, declines, a second try inside the hold."""

from dataclasses import replace

import pytest

from parking.domain.errors import (
    AlreadyPaid,
    AmountTooSmallForCard,
    CardDeclined,
    HoldExpired,
    IdempotencyMismatch,
    NotFound,
    WrongState,
)
from parking.domain.ledger import REVENUE, STRIPE, Entry, TransactionKind
from parking.domain.payment import Payment, PaymentStatus, Purpose
from parking.domain.reservation import ReservationStatus
from parking.services import bookings
from parking.services.card_payments import settle
from parking.services.ports import Intent
from tests.unit.till import Till, intent_of
from tests.unit.world import ANNA, BORIS, at

S, P = ReservationStatus, PaymentStatus


def test_a_new_card_is_asked_for_and_its_money_confirms_the_stay(till: Till) -> None:
    held = till.reserve(ANNA)
    answer = till.pay_by_card(held)
    assert (answer.payment.status, answer.payment.purpose) == (P.REQUIRES_ACTION, Purpose.RESERVATION)
    assert answer.client_secret == f"{intent_of(answer.payment)}_secret"
    assert till.stored(held).status is S.HELD
    assert till.completes(answer, 3).status is P.SUCCEEDED
    assert (till.stored(held).status, till.stored(held).payment_id) == (S.CONFIRMED, answer.payment.payment_id)
    assert till.told() == ["PAYMENT_SUCCEEDED"]
    [booked] = till.ledger()
    assert (booked.kind, booked.stripe_id) == (TransactionKind.CARD_PAYMENT, intent_of(answer.payment))
    assert booked.entries == (Entry(STRIPE, -480), Entry(REVENUE, 480))


def test_the_payment_is_stored_before_stripe_is_asked(till: Till) -> None:
    held = till.reserve(ANNA)
    with till.dying_at(1, "before"):
        till.cards.create_intent(till.pay_by_card(held).payment)
    assert till.payments() == []
    calls = 0
    while not till.payments():
        calls += 1
        with till.dying_at(calls, "after"):
            till.pay_by_card(held)
    assert till.charges() == []
    assert till.stored(held).card_payment_id == till.payments()[0].payment_id


def test_a_declined_new_card_leaves_the_same_intent_open_for_another_card(till: Till) -> None:
    held = till.reserve(ANNA)
    answer = till.pay_by_card(held)
    till.cards.fail(intent_of(answer.payment), "insufficient_funds")
    declined = till.webhook(answer.payment, 2)
    assert (declined.status, declined.failure_code) == (P.REQUIRES_ACTION, "insufficient_funds")
    paid = till.completes(answer, 4)
    assert (paid.status, paid.failure_code) == (P.SUCCEEDED, None)
    assert till.stored(held).status is S.CONFIRMED


def test_a_bank_that_takes_its_time_is_waited_for(till: Till) -> None:
    held = till.reserve(ANNA)
    answer = till.pay_by_card(held)
    till.cards.processing(intent_of(answer.payment))
    assert till.webhook(answer.payment, 2).status is P.PENDING
    till.cards.require_action(intent_of(answer.payment))
    assert till.webhook(answer.payment, 2).status is P.REQUIRES_ACTION
    assert till.completes(answer, 3).status is P.SUCCEEDED


def test_a_saved_card_pays_at_once(till: Till) -> None:
    card, held = till.save_card(), till.reserve(ANNA)
    answer = till.pay_by_card(held, card=card)
    assert (answer.payment.status, answer.client_secret) == (P.SUCCEEDED, None)
    assert till.stored(held).status is S.CONFIRMED
    assert till.charges() == [480]


def test_a_saved_card_that_asks_for_3d_secure_gives_the_app_something_to_do(till: Till) -> None:
    card, held = till.save_card(), till.reserve(ANNA)
    till.cards.asks_3d_secure.add(card)
    answer = till.pay_by_card(held, card=card)
    assert (answer.payment.status, answer.client_secret) == (
        P.REQUIRES_ACTION,
        f"{intent_of(answer.payment)}_secret",
    )
    assert till.completes(answer, 3).status is P.SUCCEEDED
    assert till.stored(held).status is S.CONFIRMED


def test_after_a_declined_saved_card_another_method_pays_inside_the_same_hold(till: Till) -> None:
    bad, good, held = till.save_card(), till.save_card(key="second"), till.reserve(ANNA)
    till.cards.declines[bad] = "lost_card"
    assert till.decline_of(held, bad, key="first") == "lost_card"
    [declined] = till.payments()
    assert (declined.status, declined.failure_code) == (P.CANCELLING, "lost_card")
    assert till.stored(held).status is S.HELD
    assert till.pay_by_card(held, card=good, key="second", now=9).payment.status is P.SUCCEEDED
    till.stream(9)
    assert till.stored_payment(declined).status is P.FAILED
    assert till.cards.intent(intent_of(declined)).status == "canceled"
    assert till.charges() == [480]
    assert till.told() == ["PAYMENT_SUCCEEDED"]


def test_a_card_that_3d_secure_refuses_after_its_first_answer_is_over(till: Till) -> None:
    card, held = till.save_card(), till.reserve(ANNA)
    till.cards.asks_3d_secure.add(card)
    answer = till.pay_by_card(held, card=card)
    till.cards.fail(intent_of(answer.payment), "authentication_failed")
    failing = till.webhook(answer.payment, 3)
    assert (failing.status, failing.failure_code) == (P.CANCELLING, "authentication_failed")
    till.stream(3)
    assert till.stored_payment(failing).status is P.FAILED


def test_a_second_try_abandons_the_first_in_the_same_commit(till: Till) -> None:
    held = till.reserve(ANNA)
    first = till.pay_by_card(held, key="first").payment
    second = till.pay_by_card(held, key="second", now=2).payment
    assert till.stored_payment(first).status is P.CANCELLING
    assert till.stored_payment(second).status is P.REQUIRES_ACTION
    assert till.stored(held).card_payment_id == second.payment_id
    till.stream(2)
    assert till.stored_payment(first).status is P.CANCELLED


def test_of_two_cards_that_race_one_pays_and_the_other_is_given_back(till: Till) -> None:
    held = till.reserve(ANNA)
    first, second = till.pay_by_card(held, key="first"), till.pay_by_card(held, key="second")
    assert till.completes(first, 3).status is P.SUCCEEDED
    assert till.stored_payment(second.payment).status is P.CANCELLING
    late = till.completes(second, 3)
    assert late.status is P.REFUND_PENDING
    assert till.stored(held).payment_id == first.payment.payment_id
    till.stream(4)
    assert till.stored_payment(late).status is P.REFUNDED
    assert (till.charges(), till.given_back()) == ([480, 480], [480])
    assert till.told() == ["LATE_PAYMENT_REFUNDED", "PAYMENT_SUCCEEDED"]


def test_two_cards_whose_webhooks_come_at_once_pay_one_stay(till: Till) -> None:
    held = till.reserve(ANNA)
    first, second = till.pay_by_card(held, key="first"), till.pay_by_card(held, key="second")
    till.cards.pay(intent_of(first.payment))
    till.store.meanwhile(lambda: till.webhook(first.payment, 3))
    assert till.completes(second, 3).status is P.REFUND_PENDING
    assert till.stored_payment(first.payment).status is P.SUCCEEDED
    assert till.store.lost_races == 1


def test_the_wallet_takes_the_place_of_an_open_card(till: Till) -> None:
    till.fund(ANNA)
    held = till.reserve(ANNA)
    answer = till.pay_by_card(held)
    till.pay(held, now=2)
    assert till.stored_payment(answer.payment).status is P.CANCELLING
    till.stream(2)
    assert till.stored_payment(answer.payment).status is P.CANCELLED
    assert till.cards.intent(intent_of(answer.payment)).status == "canceled"


def test_a_card_that_pays_after_the_wallet_did_is_given_back(till: Till) -> None:
    till.fund(ANNA)
    held = till.reserve(ANNA)
    answer = till.pay_by_card(held)
    paid = till.pay(held, now=2)
    assert till.completes(answer, 2).status is P.REFUND_PENDING
    assert till.stored(held).payment_id == paid.payment_id
    till.stream(3)
    assert till.stored_payment(answer.payment).status is P.REFUNDED
    assert till.balance() == 10_000 - 480


def test_the_same_key_replays_the_first_answer_whatever_came_of_it(till: Till) -> None:
    held = till.reserve(ANNA)
    first = till.pay_by_card(held)
    till.completes(first, 2)
    again = till.pay_by_card(held, now=9)
    assert (again.payment.status, again.client_secret) == (P.REQUIRES_ACTION, first.client_secret)
    assert (again.payment.payment_id, again.payment.refunded_minor) == (first.payment.payment_id, 0)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(10))
    till.stream(10)
    assert till.stored_payment(first.payment).status is P.REFUNDED
    replayed = till.pay_by_card(held, now=11).payment
    assert (replayed.status, replayed.refunded_minor, replayed.refunds) == (P.REQUIRES_ACTION, 0, ())


def test_the_same_key_replays_a_success_after_its_refund(till: Till) -> None:
    card, held = till.save_card(), till.reserve(ANNA)
    till.pay_by_card(held, card=card)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(2))
    till.stream(2)
    assert till.payments()[0].status is P.REFUNDED
    assert till.pay_by_card(held, card=card, now=3).payment.status is P.SUCCEEDED
    assert till.charges() == [480]


def test_the_same_key_replays_a_decline_and_asks_no_bank_again(till: Till) -> None:
    card, held = till.save_card(), till.reserve(ANNA)
    till.cards.declines[card] = "insufficient_funds"
    assert till.decline_of(held, card) == "insufficient_funds"
    del till.cards.declines[card]
    assert till.decline_of(held, card, now=2) == "insufficient_funds"
    till.stream(2)
    assert till.decline_of(held, card, now=3) == "insufficient_funds"
    assert till.charges() == []


def test_of_two_requests_with_one_key_at_once_the_first_answer_counts(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, held = till.save_card(), till.reserve(ANNA)
    till.cards.asks_3d_secure.add(card)
    create_intent = till.cards.create_intent

    def slow(payment: Payment) -> Intent:
        monkeypatch.undo()
        intent = create_intent(payment)
        assert till.pay_by_card(held, card=card).payment.status is P.REQUIRES_ACTION
        till.cards.pay(intent.intent_id)
        return intent

    monkeypatch.setattr(till.cards, "create_intent", slow)
    for _ in range(2):
        assert till.pay_by_card(held, card=card).payment.status is P.REQUIRES_ACTION
    assert till.payments()[0].status is P.SUCCEEDED


def test_the_same_key_with_another_body_is_refused(till: Till) -> None:
    held = till.reserve(ANNA)
    till.pay_by_card(held)
    with pytest.raises(IdempotencyMismatch):
        till.pay_by_card(held, fingerprint="another body")


def test_a_hold_that_lapses_cancels_its_open_card(till: Till) -> None:
    held = till.reserve(ANNA)
    answer = till.pay_by_card(held)
    till.tick(10)
    assert till.stored(held).status is S.EXPIRED
    assert till.stored_payment(answer.payment).status is P.CANCELLING
    till.stream(11)
    assert till.stored_payment(answer.payment).status is P.CANCELLED


def test_the_next_driver_who_clears_a_lapsed_hold_cancels_its_open_card_too(till: Till) -> None:
    held = till.reserve(ANNA)
    answer = till.pay_by_card(held)
    till.reserve(BORIS, now=11)
    assert till.stored(held).status is S.EXPIRED
    assert till.stored_payment(answer.payment).status is P.CANCELLING


def test_a_cancelled_reservation_cancels_its_open_card(till: Till) -> None:
    held = till.reserve(ANNA)
    answer = till.pay_by_card(held)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(2))
    assert till.stored_payment(answer.payment).status is P.CANCELLING


def test_an_ended_stay_cancels_the_open_card_of_its_extension(till: Till) -> None:
    stay = till.active()
    extension = till.extend(stay, 240, now=70)
    answer = till.pay_by_card(stay, extension, now=71)
    bookings.leave(till.store, ANNA, stay.reservation_id, at(75))
    assert till.stored_payment(answer.payment).status is P.CANCELLING


def test_an_extension_is_paid_by_card(till: Till) -> None:
    stay = till.booked(ANNA)
    extension = till.extend(stay, 240)
    answer = till.pay_by_card(stay, extension, now=71)
    assert (answer.payment.purpose, answer.payment.amount_minor) == (Purpose.EXTENSION, 240)
    assert till.stored(stay).ends_at == at(180)
    till.completes(answer, 72)
    assert till.stored(stay).ends_at == at(240)
    assert till.claims()[0].stay.ends_at == at(240)


@pytest.mark.parametrize(("starts", "now"), [(60, 10), (60, 11)])
def test_a_hold_that_lapsed_takes_no_card(till: Till, starts: float, now: float) -> None:
    held = till.reserve(ANNA, starts)
    with pytest.raises(HoldExpired):
        till.pay_by_card(held, now=now)
    assert till.payments() == []


def test_what_is_paid_takes_no_second_card(till: Till) -> None:
    stay = till.booked(ANNA)
    with pytest.raises(AlreadyPaid):
        till.pay_by_card(stay, now=2)


def test_a_cancelled_reservation_takes_no_card(till: Till) -> None:
    held = till.reserve(ANNA)
    bookings.call_off(till.store, ANNA, held.reservation_id, at(1))
    with pytest.raises(WrongState):
        till.pay_by_card(held, now=2)


def test_what_is_too_small_for_a_card_is_paid_from_the_wallet_only() -> None:
    till = Till()
    cheap = replace(till.spot, tariff=replace(till.spot.tariff, price_per_hour_minor=24), version=1)
    till.store.commit(cheap)
    held = till.reserve(ANNA, 60, 180)
    assert held.quote.amount_minor == 48
    with pytest.raises(AmountTooSmallForCard):
        till.pay_by_card(held)
    till.fund(ANNA)
    till.pay(held)
    assert till.stored(held).status is S.CONFIRMED


@pytest.mark.parametrize("card", ["pm_none", "pm_of_boris"])
def test_only_ones_own_saved_cards_can_be_charged(till: Till, card: str) -> None:
    if card == "pm_of_boris":
        card = till.save_card(BORIS)
    till.save_card(ANNA)
    held = till.reserve(ANNA)
    with pytest.raises(NotFound):
        till.pay_by_card(held, card=card)
    assert till.payments() == []


def test_another_drivers_reservation_is_not_found(till: Till) -> None:
    held = till.reserve(ANNA)
    with pytest.raises(NotFound):
        till.pay_by_card(replace(held, user_id=BORIS))


def test_a_webhook_before_our_own_answer_leaves_the_answer_as_it_would_have_been(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, held = till.save_card(), till.reserve(ANNA)
    confirm_intent = till.cards.confirm_intent

    def hasty(payment: Payment, intent_id: str, *, off_session: bool) -> Intent:
        intent = confirm_intent(payment, intent_id, off_session=off_session)
        settle(till.store, intent, at(1))
        return intent

    monkeypatch.setattr(till.cards, "confirm_intent", hasty)
    for _ in range(2):
        assert till.pay_by_card(held, card=card).payment.status is P.SUCCEEDED
    assert till.charges() == [480]


def test_a_card_whose_payment_was_overtaken_before_its_answer_says_so(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.fund(ANNA)
    card, held = till.save_card(), till.reserve(ANNA)
    create_intent = till.cards.create_intent

    def slow(payment: Payment) -> Intent:
        monkeypatch.undo()
        intent = create_intent(payment)
        till.pay(held, now=1)
        till.stream(1)
        return till.cards.intent(intent.intent_id)

    monkeypatch.setattr(till.cards, "create_intent", slow)
    for _ in range(2):
        with pytest.raises(WrongState):
            till.pay_by_card(held, card=card)
    assert till.charges() == [10_000]


def test_a_removed_card_is_a_decline_that_names_the_reason(till: Till) -> None:
    card, held = till.save_card(), till.reserve(ANNA)
    till.cards.detach(card)
    with pytest.raises(CardDeclined) as refusal:
        till.pay_by_card(held, card=card)
    assert refusal.value.data == {"decline_code": "payment_method_unusable"}
