"""Filling the wallet by card: the signed webhook credits it, once."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from parking.adapters.memory.cards import MemoryCards
from parking.domain.errors import (
    IdempotencyMismatch,
    InvalidField,
    NotFound,
)
from parking.domain.ids import PaymentId
from parking.domain.payment import Payment, PaymentStatus
from parking.services import payments
from parking.services.ports import CardError, Intent
from tests.builders import NOW
from tests.unit.world import ANNA, BORIS, World, at

P = PaymentStatus


def _start(
    world: World, cards: MemoryCards | None = None, key: str = "deposit", amount_minor: int = 2_000
) -> tuple[Payment, Intent]:
    request = world.request(ANNA, key, str(amount_minor), "POST /wallet/deposits")
    return payments.start_deposit(
        world.store, cards or world.cards, request, amount_minor=amount_minor, currency="EUR", now=NOW
    )


def _webhook(world: World, intent: Intent, when: datetime = NOW, cards: MemoryCards | None = None) -> Payment | None:
    return payments.settle_intent(world.store, cards or world.cards, intent.intent_id, when)


def test_a_deposit_waits_for_stripes_word(world: World) -> None:
    payment, intent = _start(world)
    assert (payment.status, payment.intent_id) == (P.REQUIRES_ACTION, intent.intent_id)
    assert world.balance() == 0
    assert _webhook(world, intent) == world.store.get(Payment, ANNA, payment.payment_id)
    assert world.balance() == 0


def test_a_doubled_webhook_credits_once(world: World) -> None:
    payment, intent = _start(world)
    world.cards.pay(intent.intent_id)
    for minutes in (1, 1, 60 * 24 * 3):
        settled = _webhook(world, intent, at(minutes))
        assert settled is not None
        assert settled.status is P.SUCCEEDED
    assert world.balance() == 2_000
    assert [n.kind for n in world.inbox()] == ["DEPOSIT_SUCCEEDED"]
    assert "20.00 EUR added" in world.inbox()[0].text
    assert len(world.ledger()) == 1
    assert payment.payment_id == world.ledger()[0].payment_id


def test_two_webhooks_at_once_credit_once(world: World) -> None:
    _, intent = _start(world)
    world.cards.pay(intent.intent_id)
    world.store.meanwhile(lambda: _webhook(world, intent))
    settled = _webhook(world, intent)
    assert settled is not None
    assert settled.status is P.SUCCEEDED
    assert world.balance() == 2_000


class _HastyCards(MemoryCards):
    """The driver's card pays and the webhook comes before Stripe's answer has reached us."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def create_intent(self, payment: Payment, description: str) -> Intent:
        intent = super().create_intent(payment, description)
        self.pay(intent.intent_id)
        _webhook(self._world, intent, cards=self)
        return intent


def test_a_webhook_that_is_faster_than_our_own_answer_credits_once(world: World) -> None:
    cards = _HastyCards(world)
    payment, intent = _start(world, cards)
    assert payment.status is P.REQUIRES_ACTION
    assert payment.intent_id == intent.intent_id
    _webhook(world, intent, cards=cards)
    again, _ = _start(world, cards)
    assert again.status is P.REQUIRES_ACTION
    assert world.balance() == 2_000


class _FailingCards(MemoryCards):
    """Stripe takes the first request and its answer is lost."""

    def __init__(self) -> None:
        super().__init__()
        self.made = list[str]()

    def create_intent(self, payment: Payment, description: str) -> Intent:
        intent = super().create_intent(payment, description)
        self.made.append(intent.intent_id)
        if len(self.made) == 1:
            raise CardError("the answer was lost")
        return intent


def test_a_deposit_whose_answer_was_lost_ends_in_one_payment_intent(world: World) -> None:
    cards = _FailingCards()
    with pytest.raises(CardError):
        _start(world, cards)
    payment, intent = _start(world, cards)
    assert set(cards.made) == {intent.intent_id}
    cards.pay(intent.intent_id)
    _webhook(world, intent, cards=cards)
    stored = world.store.get(Payment, ANNA, payment.payment_id)
    assert stored is not None
    assert (stored.status, world.balance()) == (P.SUCCEEDED, 2_000)


def test_the_same_deposit_twice_is_one_payment_and_one_intent(world: World) -> None:
    first, second = _start(world), _start(world)
    assert replace(second[0], version=0) == replace(first[0], version=0)
    assert second[1].intent_id == first[1].intent_id
    assert len(world.store.page(Payment, ANNA, limit=10).items) == 1
    with pytest.raises(IdempotencyMismatch):
        _start(world, amount_minor=3_000)


@pytest.mark.parametrize("change", [{"amount_received_minor": 1_999}, {"currency": "USD"}])
def test_another_amount_than_was_asked_is_not_credited(world: World, change: dict[str, Any]) -> None:
    _, intent = _start(world)
    world.cards.pay(intent.intent_id)

    class OtherCards(MemoryCards):
        def intent(self, intent_id: str) -> Intent:
            paid = world.cards.intent(intent_id)
            return replace(paid, **change)

    with pytest.raises(CardError):
        _webhook(world, intent, cards=OtherCards())
    assert world.balance() == 0


def test_a_cancelled_intent_cancels_the_payment_for_good(world: World) -> None:
    payment, intent = _start(world)

    class CancelledCards(MemoryCards):
        def intent(self, intent_id: str) -> Intent:
            return replace(world.cards.intent(intent_id), status="canceled")

    for _ in range(2):
        settled = _webhook(world, intent, cards=CancelledCards())
        assert settled is not None
        assert (settled.payment_id, settled.status) == (payment.payment_id, P.CANCELLED)
    assert world.balance() == 0


def test_an_intent_that_is_not_ours_is_left_alone(world: World) -> None:
    _, intent = _start(world)

    class ForeignCards(MemoryCards):
        def intent(self, intent_id: str) -> Intent:
            return replace(world.cards.intent(intent_id), user_id=None, payment_id=None, status="succeeded")

    assert _webhook(world, intent, cards=ForeignCards()) is None
    assert world.balance() == 0


@pytest.mark.parametrize(("amount_minor", "accepted"), [(99, False), (100, True), (50_000, True), (50_001, False)])
def test_a_deposit_has_limits(world: World, amount_minor: int, accepted: bool) -> None:
    if accepted:
        assert _start(world, amount_minor=amount_minor)[0].amount_minor == amount_minor
    else:
        with pytest.raises(InvalidField) as refusal:
            _start(world, amount_minor=amount_minor)
        assert refusal.value.field == "amount"
        assert world.store.page(Payment, ANNA, limit=10).items == []


def test_another_drivers_payment_is_not_found(world: World) -> None:
    payment, _ = _start(world)
    assert payments.payment_of(world.store, ANNA, payment.payment_id).amount_minor == 2_000
    for user, payment_id in ((BORIS, payment.payment_id), (ANNA, PaymentId("pay_none"))):
        with pytest.raises(NotFound):
            payments.payment_of(world.store, user, payment_id)
