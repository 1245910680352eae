"""Saved cards: one customer per driver, at most ten cards, one of them the default."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parking.domain.customer import MOST_PAYMENT_METHODS, Customer, PaymentMethod
from parking.domain.errors import NotFound, TooManyPaymentMethods
from parking.domain.ids import UserId
from parking.services.payment_methods import customer_of, prefer_card, remember_card, remove_card, start_setup
from parking.services.ports import CardError
from tests.builders import a_customer, a_payment_method
from tests.unit.till import Till
from tests.unit.world import ANNA, BORIS, at


def test_the_first_card_is_the_default_and_the_next_is_not(till: Till) -> None:
    first, second = till.save_card(last4="1111"), till.save_card(key="second", last4="2222")
    customer = till.customer()
    assert [(one.payment_method_id, one.last4) for one in customer.payment_methods] == [
        (first, "1111"),
        (second, "2222"),
    ]
    assert customer.default_id == first
    assert customer.default == customer.payment_methods[0]


def test_a_driver_who_never_saved_a_card_is_no_customer(till: Till) -> None:
    assert customer_of(till.store, ANNA) is None


def test_a_driver_becomes_a_customer_once(till: Till) -> None:
    till.store.meanwhile(lambda: till.save_card(key="other device"))
    till.save_card()
    assert till.store.lost_races == 1
    assert len(till.customer().payment_methods) == 2


def test_the_same_setup_twice_is_one_setup_and_one_card(till: Till) -> None:
    first = start_setup(till.store, till.cards, till.request(ANNA, "setup"))
    assert start_setup(till.store, till.cards, till.request(ANNA, "setup")) == first
    till.cards.save_card(first.setup_id)
    for minute in (1, 2):
        remember_card(till.store, till.cards.setup(first.setup_id, at(minute)))
    assert len(till.customer().payment_methods) == 1


def test_a_setup_that_has_not_succeeded_saves_nothing(till: Till) -> None:
    setup = start_setup(till.store, till.cards, till.request(ANNA, "setup"))
    assert remember_card(till.store, setup) is None
    assert till.customer().payment_methods == ()


@pytest.mark.parametrize("change", [{"user_id": None}, {"user_id": "boris"}, {"customer_id": "cus_other"}])
def test_a_card_that_is_saved_for_somebody_else_is_left_alone(till: Till, change: dict[str, Any]) -> None:
    setup = start_setup(till.store, till.cards, till.request(ANNA, "setup"))
    till.cards.save_card(setup.setup_id)
    saved = till.cards.setup(setup.setup_id, at(1))
    assert remember_card(till.store, replace(saved, **change)) is None
    assert till.customer().payment_methods == ()


def test_two_cards_saved_at_once_are_both_kept(till: Till) -> None:
    setups = [start_setup(till.store, till.cards, till.request(ANNA, key)) for key in ("one", "two")]
    for setup in setups:
        till.cards.save_card(setup.setup_id)
    till.store.meanwhile(lambda: remember_card(till.store, till.cards.setup(setups[0].setup_id, at(1))))
    remember_card(till.store, till.cards.setup(setups[1].setup_id, at(1)))
    assert len(till.customer().payment_methods) == 2


def test_ten_cards_are_enough(till: Till) -> None:
    cards = [till.save_card(key=str(n)) for n in range(MOST_PAYMENT_METHODS)]
    with pytest.raises(TooManyPaymentMethods):
        start_setup(till.store, till.cards, till.request(ANNA, "more"))
    remove_card(till.store, till.cards, ANNA, cards[0])
    till.save_card(key="more")


def test_another_card_can_be_the_default(till: Till) -> None:
    first, second = till.save_card(), till.save_card(key="second")
    assert prefer_card(till.store, ANNA, second).default_id == second
    assert prefer_card(till.store, ANNA, second).default_id == second
    assert {one.payment_method_id for one in till.customer().payment_methods} == {first, second}


def test_a_removed_card_is_gone_here_and_at_stripe(till: Till) -> None:
    first, second = till.save_card(), till.save_card(key="second")
    remove_card(till.store, till.cards, ANNA, first)
    assert till.customer().default_id == second
    with pytest.raises(NotFound):
        till.pay_by_card(till.reserve(ANNA), card=first)
    with pytest.raises(NotFound):
        remove_card(till.store, till.cards, ANNA, first)


def test_a_card_stays_listed_until_stripe_has_let_go_of_it(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    card = till.save_card()

    def unreachable(payment_method_id: str) -> None:
        raise CardError("no answer")

    monkeypatch.setattr(till.cards, "detach", unreachable)
    with pytest.raises(CardError):
        remove_card(till.store, till.cards, ANNA, card)
    assert till.customer().default_id == card
    monkeypatch.undo()
    remove_card(till.store, till.cards, ANNA, card)
    assert till.customer().default is None


@pytest.mark.parametrize("user", [ANNA, BORIS])
def test_nobody_touches_a_card_that_is_not_theirs(till: Till, user: UserId) -> None:
    till.save_card(ANNA)
    other = till.save_card(UserId("clara"))
    with pytest.raises(NotFound):
        remove_card(till.store, till.cards, user, other)
    with pytest.raises(NotFound):
        prefer_card(till.store, user, other)
    assert till.customer(UserId("clara")).default_id == other


CARDS = [a_payment_method(payment_method_id=f"pm_{n}") for n in range(4)]


@given(st.lists(st.tuples(st.sampled_from(["add", "remove", "prefer"]), st.sampled_from(CARDS)), max_size=15))
def test_there_is_a_default_exactly_while_there_is_a_card(steps: list[tuple[str, PaymentMethod]]) -> None:
    customer: Customer = a_customer()
    for step, card in steps:
        if step == "add":
            customer = customer.with_payment_method(card)
        elif step == "remove":
            customer = customer.without(card.payment_method_id)
        elif card in customer.payment_methods:
            customer = customer.preferring(card.payment_method_id)
            assert customer.default == card
        assert (customer.default is not None) is bool(customer.payment_methods)
        assert len({one.payment_method_id for one in customer.payment_methods}) == len(customer.payment_methods)
