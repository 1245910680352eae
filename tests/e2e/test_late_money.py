"""Money that comes after the hold has ended: it makes the stay if that is still free, else it goes back by itself.

The bank of these drivers takes its time: a payment that is processing can be neither cancelled nor hurried.
"""

from datetime import timedelta

import pytest

from local.drivers import Driver
from tests.e2e.bank import Bank
from tests.e2e.cards import PROCESSING, Phone, await_payment, open_form, payment
from tests.e2e.stays import act, await_status, everything, inbox, pay, read, reserve
from tests.e2e.world import Json, Spot, World, eventually, expect, instant, utc

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


@pytest.fixture
def lapsed(world: World, later_spot: Spot, poor: Driver, phone: Phone) -> tuple[Json, Json]:
    """A stay whose hold lapsed while its card payment was on its way, and that payment."""
    stay = reserve(poor, later_spot, begins_in=HOUR)
    form = open_form(world, poor, stay)
    expect(200, phone.pays(form["client_secret"], PROCESSING))
    await_payment(poor, form, "PENDING")
    world.tick("ExpireHolds", instant(stay["hold_expires_at"]) + SECOND)
    assert read(poor, stay)["status"] == "EXPIRED"
    await_payment(poor, form, "CANCELLING")
    return stay, form


def assert_all_went_back(driver: Driver, bank: Bank, form: Json) -> None:
    """Refunded in full, once, at Stripe and in the ledger, and the driver was told."""
    back = await_payment(driver, form, "REFUNDED")
    assert (back["refunded_amount"], [one["status"] for one in back["refunds"]]) == (form["amount"], ["SUCCEEDED"])
    refund = bank.await_refund(form["payment_id"])
    assert (refund["amount"], refund["status"]) == (form["amount"], "succeeded")
    records = [one for one in everything(driver, "/wallet/transactions") if one["payment_id"] == form["payment_id"]]
    assert sorted(one["kind"] for one in records) == ["CARD_PAYMENT", "CARD_REFUND", "REFUND"]
    accounts = [(entry["account"], entry["amount"]) for one in records for entry in one["entries"]]
    assert {account: sum(value for name, value in accounts if name == account) for account, _ in accounts} == {
        "stripe": 0,
        "revenue": 0,
        "refunds": 0,
    }
    (notice,) = inbox(driver, "LATE_PAYMENT_REFUNDED")
    assert notice["data"]["payment_id"] == form["payment_id"]
    assert inbox(driver, "PAYMENT_SUCCEEDED") == []


def test_late_money_makes_the_stay_that_is_still_free(
    later_spot: Spot, poor: Driver, other_driver: Driver, bank: Bank, lapsed: tuple[Json, Json]
) -> None:
    stay, form = lapsed
    bank.decide_processing(form["payment_id"], success=True)
    await_payment(poor, form, "SUCCEEDED")
    confirmed = await_status(poor, stay, "CONFIRMED")
    assert (confirmed["reason"], confirmed["ended_at"]) == (None, None)
    assert bank.refunds_of(form["payment_id"]) == []
    taken = {"spot_id": later_spot.spot_id, "starts_at": stay["starts_at"], "ends_at": stay["ends_at"]}
    assert expect(409, other_driver.post("/reservations", taken))["code"] == "spot_unavailable"


def test_late_money_for_a_stay_that_somebody_else_has_goes_back(
    later_spot: Spot, poor: Driver, other_driver: Driver, bank: Bank, lapsed: tuple[Json, Json]
) -> None:
    stay, form = lapsed
    taken = {"spot_id": later_spot.spot_id, "starts_at": stay["starts_at"], "ends_at": stay["ends_at"]}
    theirs = expect(201, other_driver.post("/reservations", taken))
    bank.decide_processing(form["payment_id"], success=True)
    assert_all_went_back(poor, bank, form)
    assert read(poor, stay)["status"] == "EXPIRED"
    pay(other_driver, theirs)
    assert read(other_driver, theirs)["status"] == "CONFIRMED"


def test_money_that_the_webhook_never_told_is_found_by_the_schedule_and_goes_back_when_it_is_too_late(
    world: World, poor: Driver, bank: Bank, lapsed: tuple[Json, Json]
) -> None:
    stay, form = lapsed
    with bank.silent():
        bank.decide_processing(form["payment_id"], success=True)
    assert payment(poor, form["payment_id"])["status"] == "CANCELLING"
    world.tick("PaymentsSettleDue", instant(stay["starts_at"]) + SECOND)
    assert_all_went_back(poor, bank, form)
    assert read(poor, stay)["status"] == "EXPIRED"


def test_late_money_for_a_stay_that_was_called_off_goes_back(
    world: World, later_spot: Spot, poor: Driver, bank: Bank, phone: Phone
) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    form = open_form(world, poor, stay)
    expect(200, phone.pays(form["client_secret"], PROCESSING))
    await_payment(poor, form, "PENDING")
    act(poor, stay, "cancellation")
    bank.decide_processing(form["payment_id"], success=True)
    assert_all_went_back(poor, bank, form)
    assert read(poor, stay)["status"] == "CANCELLED"


def test_late_money_for_what_the_wallet_has_paid_meanwhile_goes_back(
    world: World, later_spot: Spot, driver: Driver, bank: Bank, phone: Phone
) -> None:
    stay = reserve(driver, later_spot, begins_in=HOUR)
    form = open_form(world, driver, stay)
    expect(200, phone.pays(form["client_secret"], PROCESSING))
    await_payment(driver, form, "PENDING")
    paid = pay(driver, stay)
    bank.decide_processing(form["payment_id"], success=True)
    await_payment(driver, form, "REFUNDED")
    assert [one["payment_id"] for one in read(driver, stay)["payments"]] == [paid["payment_id"]]
    assert len(inbox(driver, "LATE_PAYMENT_REFUNDED")) == 1


@pytest.mark.parametrize("taken", [False, True], ids=["still free", "taken"])
def test_late_money_for_an_extension_that_lapsed_moves_the_end_or_goes_back(
    world: World, later_spot: Spot, driver: Driver, other_driver: Driver, bank: Bank, phone: Phone, taken: bool
) -> None:
    stay = reserve(driver, later_spot, begins_in=HOUR)
    pay(driver, stay)
    ends = instant(stay["ends_at"])
    path = f"/reservations/{stay['reservation_id']}/extensions"
    extension = expect(201, driver.post(path, {"ends_at": utc(ends + HOUR)}))
    form = open_form(world, driver, stay, extension=extension)
    expect(200, phone.pays(form["client_secret"], PROCESSING))
    await_payment(driver, form, "PENDING")
    world.tick("ExpireHolds", instant(extension["hold_expires_at"]) + SECOND)
    assert read(driver, stay)["extensions"][0]["status"] == "EXPIRED"
    if taken:
        window = {"starts_at": utc(ends + timedelta(minutes=15)), "ends_at": utc(ends + 2 * HOUR)}
        expect(201, other_driver.post("/reservations", {"spot_id": later_spot.spot_id, **window}))
    bank.decide_processing(form["payment_id"], success=True)
    await_payment(driver, form, "REFUNDED" if taken else "SUCCEEDED")
    assert read(driver, stay)["ends_at"] == (stay["ends_at"] if taken else extension["ends_at"])
    assert len(inbox(driver, "LATE_PAYMENT_REFUNDED")) == taken


def test_a_bank_that_says_no_in_the_end_leaves_nothing(poor: Driver, bank: Bank, lapsed: tuple[Json, Json]) -> None:
    stay, form = lapsed
    bank.decide_processing(form["payment_id"], success=False)
    eventually(
        lambda: payment(poor, form["payment_id"])["status"] in ("FAILED", "CANCELLED", "CANCELLING"), "the bank's no"
    )
    assert everything(poor, "/wallet/transactions") == []
    assert read(poor, stay)["status"] == "EXPIRED"
