"""Filling the wallet by card, and taking money out of it again, back to the cards that brought it."""

from functools import partial

import pytest

from local.drivers import Driver
from tests.e2e.bank import Bank
from tests.e2e.cards import (
    ASKS_3D_SECURE,
    DECLINED,
    REFUND_FAILS,
    REFUND_PENDING,
    VISA,
    Phone,
    await_payment,
    open_deposit,
    payment,
    saved_card,
)
from tests.e2e.stays import balance, everything
from tests.e2e.world import Json, World, at_once, eventually, expect

LARGEST_MINOR = 50_000


def deposited(world: World, driver: Driver, amount_minor: int, card: str = VISA) -> Json:
    """A deposit by a new card that has reached the wallet."""
    form = open_deposit(world, driver, amount_minor)
    expect(200, Phone(world).pays(form["client_secret"], card))
    return await_payment(driver, form, "SUCCEEDED")


def withdrawn(driver: Driver, amount_minor: int) -> Json:
    """A withdrawal as it was taken: on its way."""
    started = expect(201, driver.post("/wallet/withdrawals", {"amount": amount_minor}))
    assert (started["status"], started["purpose"], started["amount"]) == ("PENDING", "WITHDRAWAL", amount_minor)
    return started


def test_a_saved_card_fills_the_wallet_at_once(world: World, poor: Driver, bank: Bank) -> None:
    body = {"amount": 1234, "payment_method_id": saved_card(world, poor)}
    paid = expect(201, poor.post("/wallet/deposits", body, key="one-wish"))
    assert (paid["status"], paid["client_secret"], balance(poor)) == ("SUCCEEDED", None, 1234)
    assert expect(201, poor.post("/wallet/deposits", body, key="one-wish")) == paid
    assert balance(poor) == 1234
    assert len(bank.intents_of(paid["payment_id"])) == 1


def test_a_saved_card_that_is_declined_fills_nothing(world: World, poor: Driver) -> None:
    card_id = saved_card(world, poor, DECLINED)
    refused = expect(402, poor.post("/wallet/deposits", {"amount": 1234, "payment_method_id": card_id}))
    assert (refused["code"], refused["decline_code"]) == ("card_declined", "generic_decline")
    (tried,) = everything(poor, "/payments")
    await_payment(poor, tried, "FAILED")
    assert (balance(poor), everything(poor, "/wallet/transactions")) == (0, [])


def test_a_new_card_with_3d_secure_fills_the_wallet_when_that_is_passed(
    world: World, poor: Driver, phone: Phone
) -> None:
    form = open_deposit(world, poor, 1234)
    expect(200, phone.pays(form["client_secret"], ASKS_3D_SECURE))
    assert balance(poor) == 0
    phone.finishes_3d_secure(form["client_secret"])
    await_payment(poor, form, "SUCCEEDED")
    assert balance(poor) == 1234


def test_a_day_brings_at_most_a_thousand(world: World, poor: Driver) -> None:
    for _ in range(2):
        deposited(world, poor, LARGEST_MINOR)
    refused = expect(409, poor.post("/wallet/deposits", {"amount": 100}))
    assert (refused["code"], refused["left_amount"]) == ("daily_limit_reached", 0)
    assert balance(poor) == 2 * LARGEST_MINOR


def test_a_withdrawal_goes_back_to_the_cards_that_brought_the_money_the_oldest_first(
    world: World, poor: Driver, bank: Bank
) -> None:
    first, second = deposited(world, poor, 3000), deposited(world, poor, 2000)
    taken = withdrawn(poor, 4000)
    assert balance(poor) == 1000
    await_payment(poor, taken, "SUCCEEDED")
    amounts = [bank.await_refund(one["payment_id"])["amount"] for one in (first, second)]
    assert amounts == [3000, 1000]
    assert [payment(poor, one["payment_id"])["status"] for one in (first, second)] == ["REFUNDED", "PARTIALLY_REFUNDED"]
    kinds = [one["kind"] for one in everything(poor, "/wallet/transactions")]
    assert sorted(kinds) == ["CARD_REFUND", "CARD_REFUND", "DEPOSIT", "DEPOSIT", "WITHDRAWAL"]
    assert expect(200, poor.get("/wallet"))["withdrawable_today"] == 1000


def test_more_than_the_wallet_holds_cannot_be_withdrawn(world: World, poor: Driver) -> None:
    deposited(world, poor, 1000)
    assert expect(402, poor.post("/wallet/withdrawals", {"amount": 1001}))["code"] == "insufficient_funds"
    assert balance(poor) == 1000


def test_a_day_takes_at_most_five_hundred(world: World, poor: Driver) -> None:
    for _ in range(2):
        deposited(world, poor, LARGEST_MINOR)
    expect(400, poor.post("/wallet/withdrawals", {"amount": LARGEST_MINOR + 1}))
    withdrawn(poor, LARGEST_MINOR - 100)
    refused = expect(409, poor.post("/wallet/withdrawals", {"amount": 101}))
    assert (refused["code"], refused["left_amount"]) == ("daily_limit_reached", 100)
    withdrawn(poor, 100)
    assert balance(poor) == LARGEST_MINOR


def test_withdrawals_at_once_take_no_more_than_there_is(world: World, poor: Driver, bank: Bank) -> None:
    source = deposited(world, poor, 1000)
    answers = at_once([partial(poor.post, "/wallet/withdrawals", {"amount": 400})] * 4)
    assert sorted(answer.status_code for answer in answers) == [201, 201, 402, 402]
    for answer in answers:
        if answer.is_success:
            await_payment(poor, answer.json(), "SUCCEEDED")
    assert [one["amount"] for one in bank.refunds_of(source["payment_id"])] == [400, 400]
    assert balance(poor) == 200


def test_a_withdrawal_waits_for_a_bank_that_takes_its_time(world: World, poor: Driver, bank: Bank) -> None:
    source = deposited(world, poor, 1000, REFUND_PENDING)
    taken = withdrawn(poor, 600)
    refund = bank.await_refund(source["payment_id"])
    assert payment(poor, taken["payment_id"])["status"] == "PENDING"
    bank.settle_refund(refund)
    await_payment(poor, taken, "SUCCEEDED")


def test_what_a_card_sends_back_is_in_the_wallet_again(world: World, poor: Driver, bank: Bank) -> None:
    source = deposited(world, poor, 1000, REFUND_FAILS)
    taken = withdrawn(poor, 600)
    await_payment(poor, taken, "SUCCEEDED")
    bank.settle_refund(bank.await_refund(source["payment_id"]))
    await_payment(poor, taken, "FAILED")
    eventually(lambda: balance(poor) == 1000, "the money in the wallet again")


@pytest.mark.parametrize("amount", [0, 99, -100, LARGEST_MINOR + 1])
def test_an_amount_that_nobody_can_withdraw_is_a_bad_request(poor: Driver, amount: int) -> None:
    refused = expect(400, poor.post("/wallet/withdrawals", {"amount": amount}))
    assert [error["field"] for error in refused["errors"]] == ["amount"]
