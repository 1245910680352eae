"""Time after the end: metered up to its cap, taken from the wallet, else from the default card, else owed."""

from dataclasses import replace

import pytest

from parking.domain.blocker import Occupancy, Position
from parking.domain.errors import AlreadyPaid, DebtOpen
from parking.domain.ledger import Debt
from parking.domain.payment import Method, Payment, PaymentStatus, Purpose
from parking.domain.reservation import Reservation, ReservationStatus
from parking.domain.tariff import OverstayTerms, Tariff
from parking.services import bookings
from parking.services.ports import Intent
from tests.builders import TARIFF, an_interval
from tests.unit.till import Till
from tests.unit.world import ANNA, at

S, P = ReservationStatus, PaymentStatus
OVERSTAY = Purpose.OVERSTAY
PRICE = 240  # half an hour at twice 2.40 EUR an hour


def _overstayed(till: Till, *, funds: int = 480, leaves: float = 210) -> Reservation:
    """Anna's stay until 180 whose car stood there until `leaves`."""
    stay = till.active(funds=funds)
    _stands_until_191(till)
    assert till.stored(stay).overstayed_since == at(180)
    return bookings.leave(till.store, ANNA, stay.reservation_id, at(leaves))


def _stands_until_191(till: Till) -> None:
    """The sensor sees the car when the end comes, and when the grace is over."""
    for minute in (180, 191):
        till.device_reports(minute, Position.LOWERED, Occupancy.OCCUPIED)
        till.tick(minute)


def _overstay(till: Till) -> Payment:
    return till.payments(OVERSTAY)[-1]


def _in_debt(till: Till) -> Reservation:
    stay = _overstayed(till)
    assert till.wallet().debts == (Debt(stay.reservation_id, PRICE, at(210)),)
    return stay


@pytest.mark.parametrize(
    ("minutes", "amount_minor", "text"),
    [
        (1, 120, "Overstay, 15 min"),
        (15, 120, "Overstay, 15 min"),
        (16, 240, "Overstay, 30 min"),
        (24 * 60, 11_520, "Overstay, 24 h"),
        (24 * 60 + 1, 11_520, "Overstay, 24 h 15 min, capped"),
    ],
)
def test_an_overstay_costs_twice_the_hour_by_started_steps_up_to_a_day_of_it(
    minutes: int, amount_minor: int, text: str
) -> None:
    quote = TARIFF.overstay.quote(an_interval(0, minutes), "EUR", 3)
    assert (quote.amount_minor, quote.lines[0].text, quote.tariff_version) == (amount_minor, text, 3)


def test_an_operator_may_set_another_price_and_cap() -> None:
    tariff = Tariff(240, "EUR", overstay_price_per_hour_minor=900, overstay_cap_minor=1_000)
    assert tariff.overstay == OverstayTerms(900, 1_000, 15)
    free = Tariff(240, "EUR", overstay_price_per_hour_minor=0)
    assert free.overstay.quote(an_interval(0, 600), "EUR", 1).amount_minor == 0


def test_the_wallet_pays_if_it_holds_all_of_it(till: Till) -> None:
    card = till.save_card()
    stay = till.stored(_overstayed(till, funds=10_000))
    payment = _overstay(till)
    assert (payment.method, payment.status, payment.amount_minor) == (Method.WALLET, P.SUCCEEDED, PRICE)
    assert stay.overstay
    assert stay.overstay.payment_id == payment.payment_id
    assert till.balance() == 10_000 - 480 - PRICE
    assert "OVERSTAY_CHARGED" in till.told()
    assert till.wallet().debts == ()
    assert card not in {one.payment_method_id for one in till.payments()}


def test_the_stay_that_ends_by_itself_is_charged_like_one_that_the_driver_ends(till: Till) -> None:
    stay = till.active(funds=10_000)
    _stands_until_191(till)
    till.device_reports(209, Position.LOWERED, Occupancy.VACANT)
    till.tick(210)
    assert till.stored(stay).status is S.COMPLETED
    assert _overstay(till).amount_minor == PRICE


def test_who_leaves_within_the_grace_pays_nothing(till: Till) -> None:
    stay = till.active(funds=10_000)
    till.device_reports(180, Position.LOWERED, Occupancy.OCCUPIED)
    till.tick(180)
    bookings.leave(till.store, ANNA, stay.reservation_id, at(189))
    assert till.stored(stay).overstay is None
    assert till.payments(OVERSTAY) == []


def test_the_default_card_pays_what_the_wallet_cannot_all_pay(till: Till) -> None:
    card = till.save_card()
    stay = _overstayed(till, funds=480 + PRICE - 1)
    waiting = _overstay(till)
    assert (waiting.status, waiting.off_session, waiting.payment_method_id) == (P.PENDING, True, card)
    till.stream(210)
    assert till.stored_payment(waiting).status is P.SUCCEEDED
    overstay = till.stored(stay).overstay
    assert overstay
    assert overstay.payment_id == waiting.payment_id
    assert till.balance() == PRICE - 1
    assert till.wallet().debts == ()
    till.stream(211)
    assert till.charges().count(PRICE) == 1


def test_the_intent_is_stored_before_the_absent_drivers_card_is_charged(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.save_card()
    _overstayed(till)
    confirm_intent, known = till.cards.confirm_intent, list[str | None]()

    def watched(payment: Payment, intent_id: str, *, off_session: bool) -> Intent:
        known.append(_overstay(till).intent_id)
        return confirm_intent(payment, intent_id, off_session=off_session)

    monkeypatch.setattr(till.cards, "confirm_intent", watched)
    till.stream(210)
    assert known == [_overstay(till).intent_id]


def test_without_wallet_and_card_the_overstay_is_owed(till: Till) -> None:
    stay = _in_debt(till)
    assert till.payments(OVERSTAY) == []
    assert till.stored(stay).status is S.COMPLETED
    assert "OVERSTAY_DEBT" in till.told()


def test_an_amount_too_small_for_a_card_is_owed_although_there_is_a_card(till: Till) -> None:
    till.save_card()
    stay = till.active(funds=480)
    terms = replace(stay.overstay_terms, price_per_hour_minor=60)
    till.store.commit(replace(stay, overstay_terms=terms))
    _stands_until_191(till)
    bookings.leave(till.store, ANNA, stay.reservation_id, at(210))
    assert [debt.amount_minor for debt in till.wallet().debts] == [30]


@pytest.mark.parametrize("reason", ["insufficient_funds", "authentication_required"])
def test_a_card_that_does_not_pay_off_session_leaves_a_debt(till: Till, reason: str) -> None:
    card = till.save_card()
    if reason == "authentication_required":
        till.cards.asks_3d_secure.add(card)
    else:
        till.cards.declines[card] = reason
    stay = _overstayed(till)
    till.stream(210)
    failed = _overstay(till)
    assert (failed.status, failed.failure_code) == (P.CANCELLING, reason)
    assert till.wallet().debts == (Debt(stay.reservation_id, PRICE, at(210)),)
    till.stream(211)
    assert till.stored_payment(failed).status is P.FAILED
    assert len(till.wallet().debts) == 1
    assert till.told().count("OVERSTAY_DEBT") == 1


def test_a_debt_blocks_new_reservations_and_says_what_to_pay(till: Till) -> None:
    stay = _in_debt(till)
    with pytest.raises(DebtOpen) as refusal:
        till.reserve(ANNA, 300, 400, key="next", now=211)
    assert refusal.value.data == {"reservation_id": stay.reservation_id, "amount": PRICE, "currency": "EUR"}


def test_a_debt_does_not_change_the_answer_to_an_old_request(till: Till) -> None:
    stay = _in_debt(till)
    again = till.reserve(ANNA, 60, 180, key="60-180-0", now=220)
    assert again.reservation_id == stay.reservation_id


def test_the_wallet_settles_a_debt_and_the_driver_may_reserve_again(till: Till) -> None:
    stay = _in_debt(till)
    till.fund(ANNA, 1_000, key="more", now=220)
    payment = till.pay(stay, key="debt", now=221)
    assert (payment.purpose, payment.amount_minor) == (OVERSTAY, PRICE)
    assert (till.balance(), till.wallet().debts) == (1_000 - PRICE, ())
    assert till.reserve(ANNA, 300, 400, key="next", now=222).status is S.HELD
    with pytest.raises(AlreadyPaid):
        till.pay(stay, key="again", now=223)


def test_a_card_settles_a_debt_and_the_driver_may_reserve_again(till: Till) -> None:
    stay = _in_debt(till)
    answer = till.pay_by_card(stay, now=220)
    assert (answer.payment.purpose, answer.payment.status) == (OVERSTAY, P.REQUIRES_ACTION)
    with pytest.raises(DebtOpen):
        till.reserve(ANNA, 300, 400, key="next", now=221)
    till.completes(answer, 222)
    assert till.wallet().debts == ()
    assert till.reserve(ANNA, 300, 400, key="next", now=223).status is S.HELD


def test_another_card_settles_the_debt_that_the_default_card_did_not_pay(till: Till) -> None:
    bad, good = till.save_card(), till.save_card(key="good")
    till.cards.declines[bad] = "expired_card"
    stay = _overstayed(till)
    till.stream(210)
    assert till.decline_of(stay, bad, key="again", now=219) == "expired_card"
    assert len(till.wallet().debts) == 1
    assert till.pay_by_card(stay, card=good, key="good", now=220).payment.status is P.SUCCEEDED
    assert till.wallet().debts == ()
    till.stream(221)
    assert till.charges().count(PRICE) == 1


def test_money_that_comes_for_a_settled_debt_goes_back(till: Till) -> None:
    stay = _in_debt(till)
    answer = till.pay_by_card(stay, now=220)
    till.fund(ANNA, 1_000, key="more", now=220)
    till.pay(stay, key="debt", now=221)
    late = till.completes(answer, 222)
    assert late.status is P.REFUND_PENDING
    till.stream(223)
    assert till.stored_payment(late).status is P.REFUNDED


def test_a_driver_who_pays_before_the_default_card_was_asked_is_charged_once(till: Till) -> None:
    till.save_card()
    stay = _overstayed(till)
    till.fund(ANNA, 1_000, key="more", now=211)
    till.pay(stay, key="now", now=211)
    till.stream(212)
    assert till.payments(OVERSTAY)[0].status is P.CANCELLED
    assert till.charges().count(PRICE) == 0
    assert till.wallet().debts == ()


def test_a_form_in_place_of_the_default_cards_charge_is_a_debt_until_it_is_filled_in(till: Till) -> None:
    till.save_card()
    stay = _overstayed(till)
    answer = till.pay_by_card(stay, now=211)
    assert till.wallet().debts == (Debt(stay.reservation_id, PRICE, at(211)),)
    assert till.payments(OVERSTAY)[0].status is P.CANCELLING
    till.pay_by_card(stay, key="another form", now=212)
    assert len(till.wallet().debts) == 1
    till.stream(212)
    till.looks(216, 300)
    assert till.stored_payment(answer.payment).status is P.CANCELLED
    assert len(till.wallet().debts) == 1


def test_a_form_in_place_of_the_default_cards_charge_pays_the_debt(till: Till) -> None:
    till.save_card()
    stay = _overstayed(till)
    till.completes(till.pay_by_card(stay, now=211), 213)
    till.stream(214)
    assert till.wallet().debts == ()
    assert till.charges().count(PRICE) == 1


def test_a_debt_that_is_paid_at_the_moment_of_the_decline_is_none(till: Till) -> None:
    card = till.save_card()
    till.cards.declines[card] = "insufficient_funds"
    stay = _overstayed(till)
    till.fund(ANNA, 1_000, key="more", now=210)
    [waiting] = till.payments(OVERSTAY)
    till.cards.create_intent(waiting)
    till.cards.fail(f"pi_{waiting.payment_id}", "insufficient_funds")
    till.store.meanwhile(lambda: till.pay(stay, key="now", now=211))
    till.stream(211)
    assert till.wallet().debts == ()
    assert till.balance() == 1_000 - PRICE
