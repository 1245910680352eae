"""Paying from the wallet: each fact once, and the ledger adds up."""

from dataclasses import replace
from typing import Any

import pytest

from parking.domain.errors import (
    AlreadyPaid,
    HoldExpired,
    IdempotencyMismatch,
    InsufficientFunds,
    NotFound,
)
from parking.domain.ids import ExtensionId
from parking.domain.ledger import TransactionKind
from parking.domain.payment import Payment, PaymentStatus, Purpose
from parking.domain.reservation import ExtensionStatus, ReservationStatus
from tests.unit.world import ANNA, BORIS, World, at, english

S, P = ReservationStatus, PaymentStatus


def test_paying_moves_the_money_confirms_the_stay_and_tells_the_driver(world: World) -> None:
    world.fund(ANNA, 500)
    held = world.reserve(ANNA)
    payment = world.pay(held)
    assert (payment.status, payment.purpose, payment.amount_minor) == (P.SUCCEEDED, Purpose.RESERVATION, 480)
    assert (world.stored(held).status, world.stored(held).payment_id) == (S.CONFIRMED, payment.payment_id)
    assert world.balance() == 20
    assert [t.kind for t in world.ledger()] == [TransactionKind.WALLET_PAYMENT, TransactionKind.DEPOSIT]
    assert world.told() == ["PAYMENT_SUCCEEDED"]
    assert "4.80 EUR" in english(world.inbox()[0])


def test_a_wallet_with_too_little_pays_nothing_and_changes_nothing(world: World) -> None:
    world.fund(ANNA, 479)
    held = world.reserve(ANNA)
    with pytest.raises(InsufficientFunds) as refusal:
        world.pay(held)
    assert refusal.value.data == {"balance_minor": 479, "amount_minor": 480, "currency": "EUR"}
    assert (world.stored(held).status, world.balance(), world.told()) == (S.HELD, 479, [])


def test_a_driver_who_never_had_a_wallet_has_an_empty_one(world: World) -> None:
    with pytest.raises(InsufficientFunds):
        world.pay(world.reserve(ANNA))
    assert world.ledger() == []


def test_the_same_payment_twice_is_one_charge_and_one_answer(world: World) -> None:
    world.fund(ANNA)
    held = world.reserve(ANNA)
    first = world.pay(held)
    assert replace(world.pay(held, now=9), version=0) == first
    assert world.balance() == 10_000 - 480
    assert world.told() == ["PAYMENT_SUCCEEDED"]


def test_a_repeated_payment_gets_the_first_answer_even_after_its_refund(world: World) -> None:
    world.fund(ANNA)
    held = world.reserve(ANNA)
    first = world.pay(held)
    payments_before = world.store.get(Payment, ANNA, first.payment_id)
    world.store.commit(replace(payments_before, status=P.REFUNDED, refunded_minor=480) if payments_before else first)
    assert replace(world.pay(held, now=9), version=0) == first


def test_the_same_key_for_another_payment_is_refused(world: World) -> None:
    world.fund(ANNA)
    held = world.reserve(ANNA)
    world.pay(held)
    with pytest.raises(IdempotencyMismatch):
        world.pay(held, fingerprint="another body")


def test_the_same_payment_at_once_is_one_answer_wherever_the_two_meet(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one is done between two reads of the other."""
    world.fund(ANNA)
    held = world.reserve(ANNA)
    get, first = world.store.get, list[Payment]()

    def get_and_be_overtaken(*key: Any) -> Any:
        found = get(*key)
        monkeypatch.undo()
        first.append(world.pay(held))
        return found

    monkeypatch.setattr(world.store, "get", get_and_be_overtaken)
    assert [replace(world.pay(held), version=0)] == first


def test_a_stay_is_paid_once_whatever_the_key(world: World) -> None:
    world.fund(ANNA)
    held = world.reserve(ANNA)
    world.pay(held)
    with pytest.raises(AlreadyPaid):
        world.pay(held, key="another")
    assert world.balance() == 10_000 - 480


def test_a_hold_that_lapsed_takes_no_money_whether_or_not_it_was_swept(world: World) -> None:
    world.fund(ANNA)
    held = world.reserve(ANNA)
    for swept in (False, True):
        if swept:
            world.tick(10)
        with pytest.raises(HoldExpired):
            world.pay(held, now=10)
    assert world.balance() == 10_000


def test_another_drivers_reservation_is_not_found(world: World) -> None:
    world.fund(BORIS)
    held = world.reserve(ANNA)
    with pytest.raises(NotFound):
        world.pay(replace(held, user_id=BORIS))
    assert world.balance(BORIS) == 10_000


def test_an_extension_is_paid_by_its_own_payment(world: World) -> None:
    stay = world.booked(ANNA)
    extension = world.extend(stay, 240)
    payment = world.pay(stay, extension, now=71)
    assert (payment.purpose, payment.amount_minor, payment.extension_id) == (
        Purpose.EXTENSION,
        240,
        extension.extension_id,
    )
    assert world.stored(stay).ends_at == at(240)
    assert world.balance() == 10_000 - 480 - 240
    with pytest.raises(AlreadyPaid):
        world.pay(stay, extension, key="another", now=71)


def test_an_extension_that_cannot_be_paid_costs_nothing_and_moves_nothing(world: World) -> None:
    world.fund(ANNA, 480)
    stay = world.reserve(ANNA)
    world.pay(stay)
    extension = world.extend(stay, 240)
    with pytest.raises(InsufficientFunds):
        world.pay(stay, extension, now=71)
    with pytest.raises(HoldExpired):
        world.pay(stay, extension, now=80)
    world.tick(80)
    after = world.stored(stay)
    assert (after.ends_at, after.status, world.balance()) == (at(180), S.CONFIRMED, 0)
    assert after.extensions[0].status is ExtensionStatus.EXPIRED
    assert world.claims()[0].stay.ends_at == at(180)


def test_an_extension_that_the_stay_has_not_is_not_found(world: World) -> None:
    stay = world.booked(ANNA)
    extension = replace(world.extend(stay, 240), extension_id=ExtensionId("ext_other"))
    with pytest.raises(NotFound):
        world.pay(stay, extension, now=71)


def test_of_two_payments_at_once_for_one_stay_one_is_made(world: World) -> None:
    world.fund(ANNA)
    held = world.reserve(ANNA)
    world.store.meanwhile(lambda: world.pay(held, key="other device"))
    with pytest.raises(AlreadyPaid):
        world.pay(held)
    assert world.balance() == 10_000 - 480


def test_money_spent_at_the_same_moment_is_not_spent_twice(world: World) -> None:
    world.fund(ANNA, 500)
    one, other = world.reserve(ANNA, 60, 180), world.reserve(ANNA, 200, 320, key="other")
    world.store.meanwhile(lambda: world.pay(other))
    with pytest.raises(InsufficientFunds):
        world.pay(one)
    assert world.balance() == 20


def test_a_deposit_during_a_payment_loses_nothing(world: World) -> None:
    world.fund(ANNA, 500)
    held = world.reserve(ANNA)
    world.store.meanwhile(lambda: world.fund(ANNA, 700, key="more"))
    world.pay(held)
    assert world.balance() == 500 + 700 - 480
