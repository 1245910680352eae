"""A stay paid by a card: a new one, a saved one, 3-D Secure, a bank that takes its time, and a decline."""

from datetime import timedelta

import httpx
import pytest

from local.drivers import Driver
from tests.e2e.bank import Bank
from tests.e2e.cards import (
    ALWAYS_ASKS_3D_SECURE,
    ASKS_3D_SECURE,
    DECLINED,
    PROCESSING,
    WITHOUT_FUNDS,
    Phone,
    await_payment,
    open_form,
    paid_by_new_card,
    payment,
    saved_card,
    start_card,
)
from tests.e2e.stays import RICH_MINOR, act, await_status, balance, everything, inbox, pay, read, reserve
from tests.e2e.world import Json, Spot, World, eventually, expect, instant, utc

HOUR = timedelta(hours=1)


def assert_paid_once(driver: Driver, bank: Bank, reservation: Json, payment_id: str) -> None:
    """CONFIRMED by this payment, with one charge at Stripe, one record of it and one notice."""
    confirmed = await_status(driver, reservation, "CONFIRMED")
    assert [one["payment_id"] for one in confirmed["payments"]] == [payment_id]
    (intent,) = bank.intents_of(payment_id)
    assert (intent["status"], intent["amount_received"]) == ("succeeded", reservation["price"]["amount"])
    records = [one for one in everything(driver, "/wallet/transactions") if one["payment_id"] == payment_id]
    assert [(one["kind"], one["amount"]) for one in records] == [("CARD_PAYMENT", 0)]
    assert {one["account"] for one in records[0]["entries"]} == {"stripe", "revenue"}
    assert [one["data"]["payment_id"] for one in inbox(driver, "PAYMENT_SUCCEEDED")] == [payment_id]


def test_a_new_card_pays_when_the_driver_has_typed_it_in(
    world: World, later_spot: Spot, poor: Driver, bank: Bank, phone: Phone
) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    form = open_form(world, poor, stay)
    assert read(poor, stay)["status"] == "HELD"
    expect(200, phone.pays(form["client_secret"]))
    paid = await_payment(poor, form, "SUCCEEDED")
    assert (paid["payment_method_id"], paid["decline_code"], paid["refunds"]) == (None, None, [])
    assert_paid_once(poor, bank, stay, form["payment_id"])


def test_the_same_request_again_gives_the_same_form_and_after_the_payment_the_first_answer(
    world: World, later_spot: Spot, poor: Driver, bank: Bank, phone: Phone
) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    first = expect(201, start_card(world, poor, stay, key="one-wish"))
    assert expect(201, start_card(world, poor, stay, key="one-wish")) == first
    expect(200, phone.pays(first["client_secret"]))
    await_payment(poor, first, "SUCCEEDED")
    assert expect(201, start_card(world, poor, stay, key="one-wish")) == first
    assert_paid_once(poor, bank, stay, first["payment_id"])


def test_a_saved_card_pays_at_once(world: World, later_spot: Spot, poor: Driver, bank: Bank) -> None:
    card_id = saved_card(world, poor)
    stay = reserve(poor, later_spot, begins_in=HOUR)
    paid = expect(201, start_card(world, poor, stay, card_id=card_id, key="one-wish"))
    assert (paid["status"], paid["payment_method_id"], paid["client_secret"]) == ("SUCCEEDED", card_id, None)
    assert expect(201, start_card(world, poor, stay, card_id=card_id, key="one-wish")) == paid
    assert_paid_once(poor, bank, stay, paid["payment_id"])


def test_a_retry_after_the_refund_gives_the_first_answer(world: World, later_spot: Spot, poor: Driver) -> None:
    card_id = saved_card(world, poor)
    stay = reserve(poor, later_spot, begins_in=HOUR)
    paid = expect(201, start_card(world, poor, stay, card_id=card_id, key="one-wish"))
    act(poor, stay, "cancellation")
    await_payment(poor, paid, "REFUNDED")
    assert expect(201, start_card(world, poor, stay, card_id=card_id, key="one-wish")) == paid


def test_3d_secure_passed_pays(world: World, later_spot: Spot, poor: Driver, bank: Bank, phone: Phone) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    form = open_form(world, poor, stay)
    assert expect(200, phone.pays(form["client_secret"], ASKS_3D_SECURE))["status"] == "requires_action"
    assert payment(poor, form["payment_id"])["status"] == "REQUIRES_ACTION"
    phone.finishes_3d_secure(form["client_secret"])
    await_payment(poor, form, "SUCCEEDED")
    assert_paid_once(poor, bank, stay, form["payment_id"])


def test_3d_secure_failed_leaves_the_form_open_for_another_card(
    world: World, later_spot: Spot, poor: Driver, bank: Bank, phone: Phone
) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    form = open_form(world, poor, stay)
    expect(200, phone.pays(form["client_secret"], ASKS_3D_SECURE))
    phone.finishes_3d_secure(form["client_secret"], success=False)
    eventually(lambda: payment(poor, form["payment_id"])["decline_code"], "the failed check to be known")
    assert payment(poor, form["payment_id"])["status"] == "REQUIRES_ACTION"
    expect(200, phone.pays(form["client_secret"]))
    assert await_payment(poor, form, "SUCCEEDED")["decline_code"] is None
    assert_paid_once(poor, bank, stay, form["payment_id"])


def test_3d_secure_left_alone_is_cancelled_at_stripe_when_the_hold_lapses(
    world: World, later_spot: Spot, poor: Driver, bank: Bank, phone: Phone
) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    form = open_form(world, poor, stay)
    expect(200, phone.pays(form["client_secret"], ASKS_3D_SECURE))
    world.tick("ExpireHolds", instant(stay["hold_expires_at"]) + timedelta(seconds=1))
    assert read(poor, stay)["status"] == "EXPIRED"
    await_payment(poor, form, "CANCELLED")
    assert bank.intent(form["client_secret"])["status"] == "canceled"
    too_late = phone.pays(form["client_secret"])
    assert too_late.status_code == httpx.codes.BAD_REQUEST
    assert everything(poor, "/wallet/transactions") == []


def test_3d_secure_of_a_saved_card_is_passed_in_the_app(
    world: World, later_spot: Spot, poor: Driver, bank: Bank, phone: Phone
) -> None:
    card_id = saved_card(world, poor, ALWAYS_ASKS_3D_SECURE)
    stay = reserve(poor, later_spot, begins_in=HOUR)
    asked = expect(201, start_card(world, poor, stay, card_id=card_id))
    assert (asked["status"], asked["payment_method_id"]) == ("REQUIRES_ACTION", card_id)
    phone.finishes_3d_secure(asked["client_secret"])
    await_payment(poor, asked, "SUCCEEDED")
    assert_paid_once(poor, bank, stay, asked["payment_id"])


def test_3d_secure_of_a_saved_card_that_fails_ends_this_try_and_not_the_hold(
    world: World, later_spot: Spot, poor: Driver, bank: Bank, phone: Phone
) -> None:
    card_id = saved_card(world, poor, ALWAYS_ASKS_3D_SECURE)
    stay = reserve(poor, later_spot, begins_in=HOUR)
    asked = expect(201, start_card(world, poor, stay, card_id=card_id))
    phone.finishes_3d_secure(asked["client_secret"], success=False)
    assert await_payment(poor, asked, "FAILED")["decline_code"]
    assert read(poor, stay)["status"] == "HELD"
    assert bank.intent(asked["client_secret"])["status"] == "canceled"
    paid = paid_by_new_card(world, poor, stay)
    assert_paid_once(poor, bank, stay, paid["payment_id"])


@pytest.mark.parametrize("saved", [False, True], ids=["new card", "saved card"])
def test_a_bank_that_takes_its_time_pays_in_the_end(
    world: World, later_spot: Spot, poor: Driver, bank: Bank, phone: Phone, saved: bool
) -> None:
    card_id = saved_card(world, poor, PROCESSING) if saved else None
    stay = reserve(poor, later_spot, begins_in=HOUR)
    started = expect(201, start_card(world, poor, stay, card_id=card_id))
    if saved:
        assert (started["status"], started["client_secret"]) == ("PENDING", None)
    else:
        assert expect(200, phone.pays(started["client_secret"], PROCESSING))["status"] == "processing"
        await_payment(poor, started, "PENDING")
    assert read(poor, stay)["status"] == "HELD"
    bank.decide_processing(started["payment_id"], success=True)
    await_payment(poor, started, "SUCCEEDED")
    assert_paid_once(poor, bank, stay, started["payment_id"])


def test_a_new_card_that_is_declined_says_why_and_another_pays_in_the_same_form(
    world: World, later_spot: Spot, poor: Driver, bank: Bank, phone: Phone
) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    form = open_form(world, poor, stay)
    declined = expect(402, phone.pays(form["client_secret"], WITHOUT_FUNDS))
    assert declined["error"]["decline_code"] == "insufficient_funds"
    eventually(
        lambda: payment(poor, form["payment_id"])["decline_code"] == "insufficient_funds", "the decline to be known"
    )
    assert payment(poor, form["payment_id"])["status"] == "REQUIRES_ACTION"
    expect(200, phone.pays(form["client_secret"]))
    await_payment(poor, form, "SUCCEEDED")
    assert_paid_once(poor, bank, stay, form["payment_id"])


def test_a_saved_card_that_is_declined_says_why_and_another_method_pays_inside_the_hold(
    world: World, later_spot: Spot, driver: Driver, bank: Bank
) -> None:
    card_id = saved_card(world, driver, DECLINED)
    stay = reserve(driver, later_spot, begins_in=HOUR)
    declined = expect(402, start_card(world, driver, stay, card_id=card_id, key="first-try"))
    assert (declined["code"], declined["decline_code"]) == ("card_declined", "generic_decline")
    again = expect(402, start_card(world, driver, stay, card_id=card_id, key="first-try"))
    assert (again["code"], again["decline_code"]) == ("card_declined", "generic_decline")

    (failed,) = [one for one in everything(driver, "/payments") if one["method"] == "CARD" and one["reservation_id"]]
    assert await_payment(driver, failed, "FAILED")["decline_code"] == "generic_decline"
    (intent,) = bank.intents_of(failed["payment_id"])
    assert (intent["status"], intent["amount_received"]) == ("canceled", 0)
    held = read(driver, stay)
    assert (held["status"], held["hold_expires_at"]) == ("HELD", stay["hold_expires_at"])

    pay(driver, stay)
    assert read(driver, stay)["status"] == "CONFIRMED"
    assert balance(driver) == RICH_MINOR - stay["price"]["amount"]


def test_who_pays_from_the_wallet_meanwhile_closes_the_cards_form(
    world: World, later_spot: Spot, driver: Driver, bank: Bank, phone: Phone
) -> None:
    stay = reserve(driver, later_spot, begins_in=HOUR)
    form = open_form(world, driver, stay)
    pay(driver, stay)
    await_payment(driver, form, "CANCELLED")
    assert bank.intent(form["client_secret"])["status"] == "canceled"
    assert phone.pays(form["client_secret"]).status_code == httpx.codes.BAD_REQUEST
    refused = expect(409, start_card(world, driver, stay))
    assert refused["code"] == "already_paid"


def test_a_second_form_takes_the_place_of_the_first(
    world: World, later_spot: Spot, poor: Driver, bank: Bank, phone: Phone
) -> None:
    stay = reserve(poor, later_spot, begins_in=HOUR)
    first, second = open_form(world, poor, stay), open_form(world, poor, stay)
    assert first["payment_id"] != second["payment_id"]
    await_payment(poor, first, "CANCELLED")
    expect(200, phone.pays(second["client_secret"]))
    await_payment(poor, second, "SUCCEEDED")
    assert_paid_once(poor, bank, stay, second["payment_id"])


@pytest.mark.parametrize("saved", [False, True], ids=["new card", "saved card"])
def test_an_extension_is_paid_by_card_and_only_then_the_end_moves(
    world: World, later_spot: Spot, poor: Driver, phone: Phone, saved: bool
) -> None:
    card_id = saved_card(world, poor) if saved else None
    stay = reserve(poor, later_spot, begins_in=HOUR)
    paid_by_new_card(world, poor, stay)
    await_status(poor, stay, "CONFIRMED")
    longer = utc(instant(stay["ends_at"]) + HOUR)
    extension = expect(201, poor.post(f"/reservations/{stay['reservation_id']}/extensions", {"ends_at": longer}))
    assert read(poor, stay)["ends_at"] == stay["ends_at"]
    started = expect(201, start_card(world, poor, stay, extension=extension, card_id=card_id))
    assert (started["purpose"], started["amount"]) == ("EXTENSION", extension["price"]["amount"])
    if not saved:
        expect(200, phone.pays(started["client_secret"]))
    await_payment(poor, started, "SUCCEEDED")
    after = read(poor, stay)
    assert (after["ends_at"], [one["status"] for one in after["extensions"]]) == (longer, ["CONFIRMED"])


def test_stripe_that_fails_once_charges_once_when_the_app_asks_again(
    world: World, later_spot: Spot, poor: Driver, bank: Bank
) -> None:
    """The SDK retries by itself with the same key; what Stripe did at the first time is not done twice."""
    card_id = saved_card(world, poor)
    stay = reserve(poor, later_spot, begins_in=HOUR)
    with bank.failing("POST", "/v1/payment_intents/.*/confirm", what="lost"):
        paid = expect(201, start_card(world, poor, stay, card_id=card_id))
    await_payment(poor, paid, "SUCCEEDED")
    assert_paid_once(poor, bank, stay, paid["payment_id"])


def test_stripe_that_fails_for_good_is_said_and_another_try_pays(
    world: World, later_spot: Spot, poor: Driver, bank: Bank
) -> None:
    """Stripe replays its failure for a day under the same key, so the app asks with a new one."""
    card_id = saved_card(world, poor)
    stay = reserve(poor, later_spot, begins_in=HOUR)
    with bank.failing("POST", "/v1/payment_intents"):
        failed = start_card(world, poor, stay, card_id=card_id, key="one-wish")
    assert expect(503, failed)["code"] == "payment_provider_unavailable"
    expect(503, start_card(world, poor, stay, card_id=card_id, key="one-wish"))
    assert read(poor, stay)["status"] == "HELD"
    paid = expect(201, start_card(world, poor, stay, card_id=card_id, key="another"))
    assert_paid_once(poor, bank, stay, paid["payment_id"])
