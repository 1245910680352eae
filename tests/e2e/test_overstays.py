"""Who stays after the end pays for it: from the wallet, else by the default card, else with a debt."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from local.drivers import Driver
from tests.e2e.bank import Bank
from tests.e2e.cards import (
    ALWAYS_ASKS_3D_SECURE,
    WITHOUT_FUNDS_BUT_SAVED,
    Phone,
    await_payment,
    open_form,
    saved_card,
)
from tests.e2e.stays import act, balance, everything, inbox, now, parked, read, reserve
from tests.e2e.world import Json, Spot, World, eventually, expect, instant

QUARTER, MINUTE, HOUR = timedelta(minutes=15), timedelta(minutes=1), timedelta(hours=1)
GRACE = timedelta(minutes=10)
DEPOSIT_MINOR = 150  # pays a quarter of an hour anywhere, and no overstay


@pytest.fixture
def thrifty(world: World) -> Driver:
    """A driver who has money for the stay and not for more."""
    return world.driver(DEPOSIT_MINOR)


@pytest.fixture
def overstayed(world: World, quarter_spot: Spot) -> Callable[[Driver], Json]:
    """A stay that its driver has left 40 minutes after its end."""

    def stay_on(driver: Driver) -> Json:
        stay = parked(world, driver, quarter_spot, lasts=QUARTER)
        ends = instant(stay["ends_at"])
        world.tick("CheckExpiring", now())
        world.report_again_at(quarter_spot, ends + GRACE)
        world.tick("AutoComplete", ends + GRACE)
        seen = read(driver, stay)
        assert (seen["status"], seen["overstayed_since"]) == ("ACTIVE", stay["ends_at"])
        path = f"/reservations/{stay['reservation_id']}/departure"
        left = world.request_at(ends + 40 * MINUTE, driver, "POST", path)
        assert (left["status"], left["body"]["status"]) == (200, "COMPLETED")
        world.put_car(quarter_spot, present=False)
        left_stay = read(driver, stay)
        assert left["body"]["overstay_price"] == left_stay["overstay_price"]
        # Three started quarters, each at twice the price.
        assert left_stay["overstay_price"]["amount"] == 6 * stay["price"]["amount"]
        return left_stay

    return stay_on


def overstay_payment(driver: Driver) -> Json:
    (found,) = [one for one in everything(driver, "/payments") if one["purpose"] == "OVERSTAY"]
    return found


def debts(driver: Driver) -> list[Json]:
    items: list[Json] = expect(200, driver.get("/wallet"))["debts"]
    return items


def test_the_wallet_pays_the_overstay_if_it_holds_all_of_it(
    driver: Driver, overstayed: Callable[[Driver], Json]
) -> None:
    before = balance(driver)
    stay = overstayed(driver)
    price = stay["overstay_price"]["amount"]
    paid = overstay_payment(driver)
    assert (paid["status"], paid["method"], paid["amount"]) == ("SUCCEEDED", "WALLET", price)
    assert balance(driver) == before - stay["price"]["amount"] - price
    assert debts(driver) == []
    assert len(inbox(driver, "OVERSTAY_CHARGED")) == 1
    receipt = expect(200, driver.get(f"/reservations/{stay['reservation_id']}/receipt"))
    assert (receipt["paid_amount"], receipt["owed_amount"]) == (stay["price"]["amount"] + price, 0)
    assert [one["purpose"] for one in receipt["payments"]] == ["RESERVATION", "OVERSTAY"]


def test_the_default_card_pays_the_overstay_of_a_driver_who_is_not_there(
    world: World, thrifty: Driver, bank: Bank, overstayed: Callable[[Driver], Json]
) -> None:
    card_id = saved_card(world, thrifty)
    stay = overstayed(thrifty)
    paid = await_payment(thrifty, overstay_payment(thrifty), "SUCCEEDED")
    assert (paid["method"], paid["payment_method_id"]) == ("CARD", card_id)
    (intent,) = bank.intents_of(paid["payment_id"])
    assert intent["amount_received"] == stay["overstay_price"]["amount"]
    assert debts(thrifty) == []
    assert read(thrifty, stay)["payments"][-1]["payment_id"] == paid["payment_id"]


@pytest.mark.parametrize(
    ("card", "decline_code"),
    [(ALWAYS_ASKS_3D_SECURE, "authentication_required"), (WITHOUT_FUNDS_BUT_SAVED, "insufficient_funds")],
    ids=["a card that wants its driver", "a card without funds"],
)
def test_a_card_that_does_not_pay_leaves_a_debt_that_keeps_from_reserving_until_it_is_paid(
    world: World,
    later_spot: Spot,
    thrifty: Driver,
    overstayed: Callable[[Driver], Json],
    card: str,
    decline_code: str,
) -> None:
    saved_card(world, thrifty, card)
    stay = overstayed(thrifty)
    failed = await_payment(thrifty, overstay_payment(thrifty), "FAILED")
    assert failed["decline_code"] == decline_code
    price = stay["overstay_price"]["amount"]
    assert [(one["reservation_id"], one["amount"]) for one in debts(thrifty)] == [(stay["reservation_id"], price)]
    assert len(inbox(thrifty, "OVERSTAY_DEBT")) == 1
    assert_blocked(thrifty, later_spot, stay)

    world.stack.deposit(thrifty, price)
    paid = expect(201, thrifty.post("/payments", {"reservation_id": stay["reservation_id"], "method": "WALLET"}))
    assert (paid["purpose"], paid["status"], paid["amount"]) == ("OVERSTAY", "SUCCEEDED", price)
    assert debts(thrifty) == []
    reserve(thrifty, later_spot, begins_in=HOUR)


def test_a_driver_without_a_card_owes_the_overstay_and_pays_it_by_a_new_one(
    world: World, later_spot: Spot, thrifty: Driver, phone: Phone, overstayed: Callable[[Driver], Json]
) -> None:
    stay = overstayed(thrifty)
    price = stay["overstay_price"]["amount"]
    assert [one["amount"] for one in debts(thrifty)] == [price]
    owing = expect(200, thrifty.get(f"/reservations/{stay['reservation_id']}/receipt"))
    assert (owing["paid_amount"], owing["owed_amount"]) == (stay["price"]["amount"], price)
    assert_blocked(thrifty, later_spot, stay)

    form = open_form(world, thrifty, stay)
    assert (form["purpose"], form["amount"]) == ("OVERSTAY", price)
    expect(200, phone.pays(form["client_secret"]))
    await_payment(thrifty, form, "SUCCEEDED")
    eventually(lambda: debts(thrifty) == [], "the debt to be settled")
    settled = expect(200, thrifty.get(f"/reservations/{stay['reservation_id']}/receipt"))
    assert (settled["paid_amount"], settled["owed_amount"]) == (stay["price"]["amount"] + price, 0)
    refused = expect(409, thrifty.post("/payments", {"reservation_id": stay["reservation_id"], "method": "WALLET"}))
    assert refused["code"] == "already_paid"
    reserve(thrifty, later_spot, begins_in=HOUR)


def test_who_leaves_within_the_grace_pays_nothing_more(world: World, quarter_spot: Spot, thrifty: Driver) -> None:
    stay = parked(world, thrifty, quarter_spot, lasts=QUARTER)
    ends = instant(stay["ends_at"])
    world.tick("CheckExpiring", now())
    world.tick("AutoComplete", ends)
    assert read(thrifty, stay)["status"] == "ACTIVE"
    left = act(thrifty, stay, "departure")
    assert (left["status"], left["overstay_price"]) == ("COMPLETED", None)
    assert debts(thrifty) == []


def assert_blocked(driver: Driver, spot: Spot, stay: Json) -> None:
    wish = {"spot_id": spot.spot_id, "starts_at": "2030-01-31T09:30:00Z", "ends_at": "2030-01-31T10:30:00Z"}
    refused = expect(409, driver.post("/reservations", wish))
    assert (refused["code"], refused["reservation_id"]) == ("debt_open", stay["reservation_id"])
