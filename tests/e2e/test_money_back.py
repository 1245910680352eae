"""Money that goes back to a card: refunds that arrive, wait, fail or are answered into the void, and disputes."""

from datetime import timedelta

import pytest

from local.drivers import Driver
from tests.e2e.bank import Bank
from tests.e2e.cards import (
    DISPUTED,
    REFUND_FAILS,
    REFUND_PENDING,
    VISA,
    Phone,
    await_payment,
    open_deposit,
    open_form,
    paid_by_new_card,
    payment,
)
from tests.e2e.stays import act, await_status, balance, everything, inbox, now, read, reserve
from tests.e2e.world import Json, Spot, World, at_once, eventually, expect, instant, utc

HOUR = timedelta(hours=1)
LOOK_AFTER = timedelta(minutes=6)


def called_off(world: World, driver: Driver, spot: Spot, card: str) -> Json:
    """The payment by a new card of a stay that its driver has cancelled before the start."""
    stay = reserve(driver, spot, begins_in=HOUR)
    paid = paid_by_new_card(world, driver, stay, card)
    await_status(driver, stay, "CONFIRMED")
    assert act(driver, stay, "cancellation")["status"] == "CANCELLED"
    return paid


def kinds(driver: Driver, payment_id: str) -> set[str]:
    """The records of a payment, of which there is one of each kind."""
    records = [one["kind"] for one in everything(driver, "/wallet/transactions") if one["payment_id"] == payment_id]
    assert len(set(records)) == len(records)
    return set(records)


def owed_to_cards(driver: Driver) -> int:
    """The balance of the account `refunds` of this driver's records."""
    records = everything(driver, "/wallet/transactions")
    return sum(entry["amount"] for one in records for entry in one["entries"] if entry["account"] == "refunds")


def test_who_cancels_before_the_start_gets_the_cards_money_back(
    world: World, later_spot: Spot, poor: Driver, bank: Bank
) -> None:
    paid = called_off(world, poor, later_spot, VISA)
    back = await_payment(poor, paid, "REFUNDED")
    assert back["refunded_amount"] == paid["amount"]
    refund = bank.await_refund(paid["payment_id"])
    assert (refund["amount"], refund["status"]) == (paid["amount"], "succeeded")
    assert kinds(poor, paid["payment_id"]) == {"CARD_PAYMENT", "REFUND", "CARD_REFUND"}
    assert (owed_to_cards(poor), balance(poor)) == (0, 0)
    assert len(inbox(poor, "RESERVATION_CANCELLED")) == 1


def test_cancellations_and_schedules_at_once_give_each_cards_money_back_once(
    world: World, later_spot: Spot, poor: Driver, bank: Bank, phone: Phone
) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    first = paid_by_new_card(world, poor, stay)
    await_status(poor, stay, "CONFIRMED")
    path = f"/reservations/{stay['reservation_id']}"
    extension = expect(201, poor.post(f"{path}/extensions", {"ends_at": utc(instant(stay["ends_at"]) + HOUR)}))
    second = open_form(world, poor, stay, extension=extension)
    expect(200, phone.pays(second["client_secret"]))
    await_payment(poor, second, "SUCCEEDED")

    def calls_off() -> None:
        expect(200, poor.post(f"{path}/cancellation"))

    def looks_after() -> None:
        world.tick("PaymentsSettleDue", now() + LOOK_AFTER)

    at_once([calls_off, looks_after] * 4)
    for one in (first, second):
        await_payment(poor, one, "REFUNDED")
        assert [refund["amount"] for refund in bank.refunds_of(one["payment_id"])] == [one["amount"]]
        assert kinds(poor, one["payment_id"]) == {"CARD_PAYMENT", "REFUND", "CARD_REFUND"}
    assert (owed_to_cards(poor), balance(poor)) == (0, 0)


def test_a_refund_is_pending_until_the_bank_has_it(world: World, later_spot: Spot, poor: Driver, bank: Bank) -> None:
    paid = called_off(world, poor, later_spot, REFUND_PENDING)
    refund = bank.await_refund(paid["payment_id"])
    assert refund["status"] == "pending"
    waiting = payment(poor, paid["payment_id"])
    assert (waiting["status"], [one["status"] for one in waiting["refunds"]]) == ("REFUND_PENDING", ["PENDING"])
    assert owed_to_cards(poor) == paid["amount"]
    bank.settle_refund(refund)
    await_payment(poor, paid, "REFUNDED")
    assert owed_to_cards(poor) == 0


def test_a_refund_that_the_bank_sends_back_is_in_the_wallet(
    world: World, later_spot: Spot, poor: Driver, bank: Bank
) -> None:
    paid = called_off(world, poor, later_spot, REFUND_FAILS)
    await_payment(poor, paid, "REFUNDED")
    assert balance(poor) == 0
    bank.settle_refund(bank.await_refund(paid["payment_id"]))
    eventually(lambda: balance(poor) == paid["amount"], "the refund in the wallet")
    assert [one["status"] for one in payment(poor, paid["payment_id"])["refunds"]] == ["TO_WALLET"]
    assert kinds(poor, paid["payment_id"]) == {"CARD_PAYMENT", "REFUND", "CARD_REFUND", "REFUND_TO_WALLET"}
    (notice,) = inbox(poor, "REFUNDED_TO_WALLET")
    assert notice["data"]["payment_id"] == paid["payment_id"]
    # No card has brought this money, so none can take it.
    refused = expect(409, poor.post("/wallet/withdrawals", {"amount": paid["amount"]}))
    assert (refused["code"], refused["available_amount"]) == ("withdrawal_unavailable", 0)


def test_a_refund_whose_answer_is_lost_is_made_once(world: World, later_spot: Spot, poor: Driver, bank: Bank) -> None:
    with bank.silent(), bank.failing("POST", "/v1/refunds", what="lost", times=3):
        stay = reserve(poor, later_spot, begins_in=HOUR)
        form = open_form(world, poor, stay)
        expect(200, Phone(world).pays(form["client_secret"]))
        world.tick("PaymentsSettleDue", now() + LOOK_AFTER)
        paid = await_payment(poor, form, "SUCCEEDED")
        act(poor, stay, "cancellation")
        bank.await_refund(paid["payment_id"])
        assert payment(poor, paid["payment_id"])["status"] == "REFUND_PENDING"
        world.tick("PaymentsSettleDue", now() + 2 * LOOK_AFTER)
        await_payment(poor, paid, "REFUNDED")
    assert len(bank.refunds_of(paid["payment_id"])) == 1


@pytest.mark.parametrize("won", [True, False], ids=["won", "lost"])
def test_a_disputed_deposit_is_taken_out_of_the_wallet_until_it_is_decided(
    world: World, poor: Driver, bank: Bank, phone: Phone, won: bool
) -> None:
    form = open_deposit(world, poor, 1500)
    expect(200, phone.pays(form["client_secret"], DISPUTED))
    eventually(lambda: payment(poor, form["payment_id"])["dispute"] == "OPEN", "the dispute to be known")
    assert balance(poor) == 0
    refused = expect(402, poor.post("/wallet/withdrawals", {"amount": 500}))
    assert refused["code"] == "insufficient_funds"
    (dispute,) = bank.disputes_of(form["payment_id"])
    bank.close_dispute(dispute, won=won)
    decided = "WON" if won else "LOST"
    eventually(lambda: payment(poor, form["payment_id"])["dispute"] == decided, f"the dispute to be {decided}")
    assert balance(poor) == (1500 if won else 0)
    assert kinds(poor, form["payment_id"]) == {"DEPOSIT", "DISPUTE", *(["DISPUTE_WON"] if won else [])}


def test_a_stay_whose_payment_is_disputed_gives_nothing_back_twice(
    world: World, later_spot: Spot, poor: Driver, bank: Bank
) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    paid = paid_by_new_card(world, poor, stay, DISPUTED)
    eventually(lambda: payment(poor, paid["payment_id"])["dispute"] == "OPEN", "the dispute to be known")
    act(poor, stay, "cancellation")
    after = payment(poor, paid["payment_id"])
    assert (after["status"], after["refunded_amount"], after["refunds"]) == ("SUCCEEDED", 0, [])
    assert bank.refunds_of(paid["payment_id"]) == []
    assert read(poor, stay)["status"] == "CANCELLED"
