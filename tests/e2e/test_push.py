"""A driver's phones: a knock for each notice where the stack has credentials, and the inbox in any case."""

import json
import uuid
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from local.drivers import Driver
from tests.e2e.stays import act, everything, inbox, paid
from tests.e2e.world import Json, Spot, World, eventually, expect

WISHES = "/notification-preferences"


@pytest.fixture(scope="module")
def credentials(world: World) -> Iterator[None]:
    """An operator's FCM application, given to the function as the template's FcmApplicationArn would; APNS has none."""
    application = world.stack.client("sns").create_platform_application(
        Name=f"e2e-{uuid.uuid4().hex[:8]}", Platform="GCM", Attributes={"PlatformCredential": "of the test"}
    )
    functions, name = world.stack.client("lambda"), world.functions["NotificationsApi"]
    usual = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    given = usual | {"FCM_APPLICATION_ARN": application["PlatformApplicationArn"]}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": given})
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    # Drivers call the alias, which serves a published version.
    before = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    with_it = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=with_it)
    yield
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=before)
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": usual})


def pushed(world: World, text: str) -> list[Json]:
    """What SNS published that contains the text."""
    published: list[Json] = httpx.get(f"{world.stack.sns_record_url}/_recorded").json()
    return [one for one in published if text in one["message"]]


def await_push_function(world: World, notice: Json) -> None:
    """Until the function has dealt with the notice, pushed or not."""
    eventually(
        lambda: any(notice["notification_id"] in line for line in world.log("PushNotifications")),
        "the notice to pass the push function",
    )


def register(driver: Driver, platform: str, token: str, locale: str | None = None) -> Json:
    body = {"platform": platform, "token": token, "locale": locale}
    return expect(200, driver.request("PUT", f"/push-devices/phone-{platform}", body))


def sent_to_android(published: Json) -> Json:
    sent: Json = json.loads(json.loads(published["message"])["GCM"])["fcmV1Message"]["message"]
    return sent


@pytest.mark.usefixtures("credentials")
def test_a_registered_phone_is_told_of_each_notice_once(world: World, spot: Spot, driver: Driver) -> None:
    assert register(driver, "FCM", f"token-{uuid.uuid4().hex}")["reachable"]
    stay = paid(driver, spot, begins_in=timedelta(hours=1))
    (notice,) = inbox(driver, "PAYMENT_SUCCEEDED")
    (published,) = eventually(lambda: pushed(world, notice["notification_id"]), "the notice to be pushed")
    assert ":endpoint/" in published["target"] or "/GCM/" in published["target"]
    message = sent_to_android(published)
    assert message["notification"] == {"title": notice["title"], "body": notice["text"]}
    assert message["data"]["link"] == f"smartparking://reservations/{stay['reservation_id']}"

    act(driver, stay, "cancellation")
    (cancelled,) = inbox(driver, "RESERVATION_CANCELLED")
    eventually(lambda: pushed(world, cancelled["notification_id"]), "the next notice to be pushed")
    assert len(pushed(world, notice["notification_id"])) == 1


@pytest.mark.usefixtures("credentials")
def test_a_new_token_of_a_phone_replaces_the_old(world: World, driver: Driver) -> None:
    for _ in range(2):
        register(driver, "FCM", f"token-{uuid.uuid4().hex}")
    world.stack.deposit(driver, 500)
    newest = inbox(driver, "DEPOSIT_SUCCEEDED")[0]
    eventually(lambda: pushed(world, newest["notification_id"]), "the notice to be pushed")
    assert len(pushed(world, newest["notification_id"])) == 1


@pytest.mark.usefixtures("credentials")
def test_a_phone_that_signed_out_is_not_told(world: World, driver: Driver, other_driver: Driver) -> None:
    register(driver, "FCM", f"token-{uuid.uuid4().hex}")
    register(other_driver, "FCM", f"token-{uuid.uuid4().hex}")
    expect(204, driver.request("DELETE", "/push-devices/phone-FCM"))
    expect(404, driver.request("DELETE", "/push-devices/phone-FCM"))
    for one in (driver, other_driver):
        world.stack.deposit(one, 500)
    later = inbox(other_driver, "DEPOSIT_SUCCEEDED")[0]
    eventually(lambda: pushed(world, later["notification_id"]), "the other driver's notice to be pushed")
    unheard = inbox(driver, "DEPOSIT_SUCCEEDED")[0]
    await_push_function(world, unheard)
    assert pushed(world, unheard["notification_id"]) == []


@pytest.mark.usefixtures("credentials")
def test_a_phone_that_was_handed_on_tells_its_new_driver_only(
    world: World, driver: Driver, other_driver: Driver
) -> None:
    token = f"token-{uuid.uuid4().hex}"
    for one in (driver, other_driver):
        register(one, "FCM", token)
    for one in (driver, other_driver):
        world.stack.deposit(one, 500)
    its = inbox(other_driver, "DEPOSIT_SUCCEEDED")[0]
    eventually(lambda: pushed(world, its["notification_id"]), "the new driver's notice to be pushed")
    unheard = inbox(driver, "DEPOSIT_SUCCEEDED")[0]
    await_push_function(world, unheard)
    assert pushed(world, unheard["notification_id"]) == []
    expect(404, driver.request("DELETE", "/push-devices/phone-FCM"))
    expect(204, other_driver.request("DELETE", "/push-devices/phone-FCM"))


@pytest.mark.usefixtures("credentials")
def test_a_driver_is_told_in_russian_and_not_of_what_is_muted(world: World, spot: Spot, driver: Driver) -> None:
    register(driver, "FCM", f"token-{uuid.uuid4().hex}", locale="ru-RU")
    refused = expect(400, driver.request("PUT", WISHES, {"muted": ["OVERSTAY_DEBT"]}))
    assert [error["field"] for error in refused["errors"]] == ["muted"]
    wishes = expect(200, driver.request("PUT", WISHES, {"locale": None, "muted": ["PAYMENT_SUCCEEDED"]}))
    assert expect(200, driver.get(WISHES)) == wishes
    assert "PAYMENT_SUCCEEDED" in wishes["mutable"]

    act(driver, paid(driver, spot, begins_in=timedelta(hours=1)), "cancellation")
    (cancelled,) = inbox(driver, "RESERVATION_CANCELLED")
    (published,) = eventually(lambda: pushed(world, cancelled["notification_id"]), "the cancellation to be pushed")
    assert sent_to_android(published)["notification"]["title"] == "Бронь отменена"
    (muted,) = inbox(driver, "PAYMENT_SUCCEEDED")
    await_push_function(world, muted)
    assert pushed(world, muted["notification_id"]) == []

    assert cancelled["title"] == "Reservation cancelled"
    expect(200, driver.request("PUT", WISHES, {"locale": "ru", "muted": []}))
    assert inbox(driver, "RESERVATION_CANCELLED")[0]["title"] == "Бронь отменена"


@pytest.mark.usefixtures("credentials")
def test_a_phone_whose_endpoint_is_gone_is_forgotten(world: World, driver: Driver) -> None:
    register(driver, "FCM", f"token-{uuid.uuid4().hex}")
    world.stack.deposit(driver, 500)
    heard = inbox(driver, "DEPOSIT_SUCCEEDED")[0]
    (published,) = eventually(lambda: pushed(world, heard["notification_id"]), "the notice to be pushed")
    world.stack.client("sns").delete_endpoint(EndpointArn=published["target"])

    world.stack.deposit(driver, 600)
    await_push_function(world, inbox(driver, "DEPOSIT_SUCCEEDED")[0])
    expect(404, driver.request("DELETE", "/push-devices/phone-FCM"))


def test_without_credentials_a_phone_is_not_reachable_and_the_inbox_has_the_notice(driver: Driver) -> None:
    assert not register(driver, "APNS", f"token-{uuid.uuid4().hex}")["reachable"]
    assert [one["kind"] for one in everything(driver, "/notifications")] == ["DEPOSIT_SUCCEEDED"]
