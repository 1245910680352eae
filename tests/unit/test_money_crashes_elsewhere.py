"""A process that dies at any call beside paying: wallets, saved cards, late money, disputes, what runs by itself."""

from contextlib import suppress

import pytest

from parking.domain.errors import CardDeclined, NotFound
from parking.domain.ledger import TransactionKind
from parking.domain.payment import Payment, PaymentStatus, Purpose
from parking.domain.reservation import ReservationStatus
from parking.services import bookings
from parking.services.payment_methods import remember_card, remove_card, start_setup
from tests.unit.dying import WHEN, at_each_call, must_fit
from tests.unit.till import DAY, Till, intent_of
from tests.unit.world import ANNA, BORIS, at

S, P = ReservationStatus, PaymentStatus
TRIES_AGAIN = pytest.mark.parametrize("tries_again", [True, False])


def _kept(till: Till) -> int:
    """What cards have paid and not got back."""
    return sum(till.charges()) - sum(till.given_back())


@WHEN
@TRIES_AGAIN
@pytest.mark.parametrize("saved", [True, False])
def test_a_deposit_that_dies_anywhere_fills_the_wallet_once_or_costs_nothing(
    when: str, saved: bool, tries_again: bool
) -> None:
    def story(nth: int) -> bool:
        till = Till()
        card = till.save_card() if saved else None
        with till.dying_at(nth, when) as made:
            till.deposit(card=card)
        if tries_again:
            answer = till.deposit(card=card, now=2)
            if not saved:
                till.completes(answer, 3)
        till.looks(6, 90)
        must_fit(till)
        assert till.charges() in ([], [2_000])
        assert till.balance() == sum(till.charges())
        assert not tries_again or till.balance() == 2_000
        return made[0] >= nth

    at_each_call(when, story)


@WHEN
@TRIES_AGAIN
def test_an_extension_by_card_that_dies_anywhere_moves_the_end_or_costs_nothing(when: str, tries_again: bool) -> None:
    def story(nth: int) -> bool:
        till = Till()
        card = till.save_card()
        stay = till.active(funds=480)
        extension = till.extend(stay, 240, now=70)
        with till.dying_at(nth, when) as made:
            till.pay_by_card(stay, extension, card=card, now=71)
        if tries_again:
            till.pay_by_card(stay, extension, card=card, now=72)
        till.tick(82)
        till.looks(83, 170)
        must_fit(till)
        moved = till.stored(stay).ends_at == at(240)
        assert _kept(till) - 480 == (240 if moved else 0)
        assert moved or not tries_again
        return made[0] >= nth

    at_each_call(when, story)


@WHEN
@pytest.mark.parametrize("taken", [True, False])
def test_late_money_whose_webhook_dies_anywhere_makes_the_stay_or_goes_back(when: str, taken: bool) -> None:
    def story(nth: int) -> bool:
        till = Till()
        held = till.reserve(ANNA)
        answer = till.pay_by_card(held)
        till.tick(10)
        if taken:
            till.booked(BORIS, now=11, funds=480)
        till.cards.pay(intent_of(answer.payment))
        with till.dying_at(nth, when) as made:
            till.webhook(answer.payment, 12)
        till.looks(15, 50)
        must_fit(till)
        assert till.stored(held).status is (S.EXPIRED if taken else S.CONFIRMED)
        assert _kept(till) == 480  # Boris's deposit, or Anna's stay
        assert till.told() == ["LATE_PAYMENT_REFUNDED" if taken else "PAYMENT_SUCCEEDED", "RESERVATION_EXPIRED"]
        return made[0] >= nth

    at_each_call(when, story)


@WHEN
def test_a_cancellation_that_dies_anywhere_gives_the_money_back_once(when: str) -> None:
    def story(nth: int) -> bool:
        till = Till()
        held = till.reserve(ANNA)
        till.completes(till.pay_by_card(held), 2)
        with till.dying_at(nth, when) as made:
            bookings.call_off(till.store, ANNA, held.reservation_id, at(5))
        bookings.call_off(till.store, ANNA, held.reservation_id, at(6))
        till.looks(11, 40)
        must_fit(till)
        assert till.given_back() == [480]
        assert till.told().count("RESERVATION_CANCELLED") == 1
        return made[0] >= nth

    at_each_call(when, story)


@WHEN
@TRIES_AGAIN
def test_a_withdrawal_that_dies_anywhere_is_taken_once_or_not_at_all(when: str, tries_again: bool) -> None:
    def story(nth: int) -> bool:
        till = Till()
        till.fund(ANNA, 300, key="one")
        till.fund(ANNA, 700, key="two", now=1)
        with till.dying_at(nth, when) as made:
            till.withdraw(1_000)
        if tries_again:
            till.withdraw(1_000, now=3)
        till.looks(8, 40)
        must_fit(till)
        assert sorted(till.given_back()) in ([], [300, 700])
        assert till.balance() == _kept(till)
        assert till.balance() == 0 or not tries_again
        return made[0] >= nth

    at_each_call(when, story)


@WHEN
def test_a_card_whose_setup_dies_anywhere_is_saved_by_the_next_try_and_listed_once(when: str) -> None:
    def story(nth: int) -> bool:
        till = Till()
        wish = till.request(ANNA, "setup")
        with till.dying_at(nth, when) as made:
            start_setup(till.store, till.cards, wish)
        setup = start_setup(till.store, till.cards, wish)
        card = till.cards.save_card(setup.setup_id)
        with till.dying_at(nth, when) as heard:
            remember_card(till.store, till.cards.setup(setup.setup_id, at(1)))
        remember_card(till.store, till.cards.setup(setup.setup_id, at(2)))
        assert [one.payment_method_id for one in till.customer().payment_methods] == [card]
        assert till.customer().default_id == card
        return max(made[0], heard[0]) >= nth

    at_each_call(when, story)


@WHEN
def test_a_card_whose_removal_dies_anywhere_pays_only_while_it_is_saved(when: str) -> None:
    def story(nth: int) -> bool:
        till = Till()
        card = till.save_card()
        with till.dying_at(nth, when) as made:
            remove_card(till.store, till.cards, ANNA, card)
        listed = till.customer().default_id == card
        assert listed or card in till.cards._detached, "forgotten here, and Stripe still has it"
        held = till.reserve(ANNA)
        with suppress(CardDeclined, NotFound):
            till.pay_by_card(held, card=card)
        assert listed or till.charges() == []
        with suppress(NotFound):
            remove_card(till.store, till.cards, ANNA, card)
        assert till.customer().payment_methods == ()
        with pytest.raises((CardDeclined, NotFound)):
            till.deposit(card=card)
        till.tick(11)
        till.looks(12, 90)
        must_fit(till)
        assert (till.stored(held).status is S.CONFIRMED) is (till.charges() == [480])
        return made[0] >= nth

    at_each_call(when, story)


@WHEN
@pytest.mark.parametrize("won", [None, True, False])
def test_a_dispute_whose_webhook_dies_anywhere_is_booked_once(when: str, won: bool | None) -> None:
    def story(nth: int) -> bool:
        till = Till()
        dispute = till.cards.open_dispute(intent_of(till.fund(ANNA, 2_000)))
        if won is not None:
            till.dispute_webhook(dispute.stripe_id, 5)
            till.cards.close_dispute(dispute.stripe_id, won=won)
        with till.dying_at(nth, when) as made:
            till.dispute_webhook(dispute.stripe_id, 10)
        till.dispute_webhook(dispute.stripe_id, 11)
        must_fit(till)
        assert till.balance() == (2_000 if won else 0)
        kinds = [one.kind for one in till.ledger()]
        booked = kinds.count(TransactionKind.DISPUTE), kinds.count(TransactionKind.DISPUTE_WON)
        assert booked == (1, int(won is True))
        return made[0] >= nth

    at_each_call(when, story)


def _much_unheard_of(till: Till) -> None:
    """A charge, a refund and a dispute at Stripe of which no event came, and a form that nobody fills in."""
    till.cards.pay(intent_of(till.pay_by_card(till.reserve(ANNA)).payment))
    off = till.reserve(BORIS, 200, 260, key="off")
    till.completes(till.pay_by_card(off, key="off"), 2)
    till.cards.refunds_start = "pending"
    bookings.call_off(till.store, BORIS, off.reservation_id, at(3))
    till.stream(4)
    [owed] = [one for one in till.store.all_of(Payment) if one.pending_refunds]
    till.cards.end_refund(owed.refunds[0].stripe_id or "", "succeeded")
    till.cards.refunds_start = "succeeded"
    till.cards.open_dispute(intent_of(till.fund(BORIS, 700, key="disputed", now=4)))
    till.deposit(BORIS, key="left open", now=5)


def _must_be_heard_of(till: Till) -> None:
    must_fit(till)
    assert sorted(till.charges()) == [240, 480, 700]
    assert till.balance(BORIS) == 0
    stays = {one.user_id: one for one in till.store.all_of(Payment) if one.purpose is Purpose.RESERVATION}
    assert stays[BORIS].status is P.REFUNDED
    [form] = [one for one in till.payments(Purpose.DEPOSIT, BORIS) if not one.charged]
    assert form.status is P.CANCELLED


@WHEN
def test_a_comparison_with_stripe_that_dies_anywhere_settles_everything_when_it_runs_again(when: str) -> None:
    def story(nth: int) -> bool:
        till = Till()
        _much_unheard_of(till)
        with till.dying_at(nth, when) as made:
            till.compared(now=8)
        seen = till.compared(now=9)
        assert seen.differences == []
        assert seen.stripe_minor == seen.ledger_minor == 480
        assert till.payments(Purpose.RESERVATION)[0].status is P.SUCCEEDED
        till.looks(10, DAY / 4)
        _must_be_heard_of(till)
        return made[0] >= nth

    at_each_call(when, story)


@WHEN
def test_a_schedule_that_dies_anywhere_settles_everything_in_its_next_runs(when: str) -> None:
    def story(nth: int) -> bool:
        till = Till()
        _much_unheard_of(till)
        with till.dying_at(nth, when) as made:
            till.look(70)
        till.looks(71, DAY / 4)
        _must_be_heard_of(till)
        return made[0] >= nth

    at_each_call(when, story)
