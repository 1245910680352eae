"""A driver takes along what we know, and leaves."""

import uuid
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from local.drivers import Account, Driver
from tests.e2e.cards import saved_card
from tests.e2e.stays import act, balance, everything, now, pay, wish
from tests.e2e.world import PASSWORD, Json, Spot, World, eventually, expect

LISTS = {
    "reservations": "/reservations",
    "payments": "/payments",
    "transactions": "/wallet/transactions",
    "notifications": "/notifications",
}


def exported(driver: Driver) -> Json:
    """All parts of the export as one."""
    whole: Json = {name: [] for name in LISTS}
    cursor = ""
    while True:
        part = expect(200, driver.get(f"/account/export{cursor}"))
        whole["profile"] = whole.get("profile") or part["profile"]
        for name in LISTS:
            whole[name] += part[name]
        if part["next_cursor"] is None:
            return whole
        cursor = f"?cursor={part['next_cursor']}"


@pytest.fixture
def account() -> Account:
    return Account(f"{uuid.uuid4().hex}@example.com", PASSWORD)


@pytest.fixture
def leaving(world: World, account: Account) -> Driver:
    """A driver whose log-in the test knows, with one of everything."""
    driver = world.stack.new_driver(account)
    world.emails.add(account.email)
    world.drivers.append(driver)
    world.stack.deposit(driver, 2000)
    saved_card(world, driver)
    expect(200, driver.request("PUT", "/push-devices/phone", {"platform": "FCM", "token": uuid.uuid4().hex}))
    expect(200, driver.request("PUT", "/notification-preferences", {"locale": "ru", "muted": []}))
    return driver


def test_a_driver_takes_everything_along_and_nobody_is_left_behind_the_account(
    world: World, leaving: Driver, account: Account, later_spot: Spot
) -> None:
    expect(200, leaving.request("PUT", f"/favourites/{later_spot.spot_id}"))
    wanted = wish(later_spot, begins_in=timedelta(hours=2)) | {"vehicle_plate": "123 ABC"}
    stay = expect(201, leaving.post("/reservations", wanted))
    pay(leaving, stay)

    whole = exported(leaving)
    for name, path in LISTS.items():
        assert whole[name], name
        identifier = next(iter(whole[name][0]))
        listed = everything(leaving, path)
        assert [one[identifier] for one in whole[name]] == [one[identifier] for one in listed], name
    assert whole["profile"]["favourite_spot_ids"] == [later_spot.spot_id]
    assert [one["device_id"] for one in whole["profile"]["push_devices"]] == ["phone"]
    assert len(whole["profile"]["payment_methods"]["items"]) == 1

    eleven_minutes_on = now() + timedelta(minutes=11)
    stolen = world.request_at(eleven_minutes_on, leaving, "DELETE", "/account", of="Accounts")
    assert (stolen["status"], stolen["body"]["code"]) == (403, "fresh_login_required")
    refused = expect(409, leaving.request("DELETE", "/account"))
    assert (refused["code"], refused["reservation_ids"]) == ("account_not_settled", [stay["reservation_id"]])

    act(leaving, stay, "cancellation")
    assert balance(leaving) == 2000
    expect(201, leaving.post("/wallet/withdrawals", {"amount": 2000}))
    eventually(lambda: leaving.request("DELETE", "/account").is_success, "the withdrawal to be settled")
    first, again = (expect(202, leaving.request("DELETE", "/account")) for _ in range(2))
    assert first == again
    assert expect(409, leaving.post("/reservations", wanted))["code"] == "account_closed"

    world.tick("AccountsErase", now() + timedelta(seconds=1))
    eventually(
        lambda: exported(leaving)["profile"]["push_devices"] == [], "the schedule to erase, if it was there first"
    )
    left = exported(leaving)
    profile = left["profile"]
    assert (profile["favourite_spot_ids"], profile["payment_methods"]["items"], left["notifications"]) == ([], [], [])
    assert profile["notification_preferences"]["locale"] is None
    assert [one["vehicle_plate"] for one in left["reservations"]] == [None]
    assert {one["kind"] for one in left["transactions"]} >= {"DEPOSIT", "WALLET_PAYMENT", "WITHDRAWAL", "CARD_REFUND"}
    assert len(left["payments"]) == 3
    with pytest.raises(ClientError, match=r"NotAuthorized|UserNotFound"):
        world.stack.accounts.log_in(account)


def test_another_drivers_export_cannot_be_read_on_with_its_cursor(driver: Driver, other_driver: Driver) -> None:
    for _ in range(2):
        expect(201, driver.post("/wallet/deposits", {"amount": 100}))
    place = expect(200, driver.get("/payments?limit=1"))["next_cursor"]
    assert expect(200, driver.get(f"/account/export?cursor=payments:{place}"))["payments"]
    for cursor in (f"payments:{place}", "wallets", "payments:x"):
        refused = expect(400, other_driver.get(f"/account/export?cursor={cursor}"))
        assert [error["field"] for error in refused["errors"]] == ["cursor"]
