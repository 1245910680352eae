"""Find a driver's story: one id stands in the log of each function that had a part in it, and in the right order."""

from datetime import UTC, datetime, timedelta

from local.drivers import Driver
from operators.story import groups_of, story
from tests.e2e.stays import act, await_guard, await_status, pay, reserve
from tests.e2e.world import Spot, World, eventually, instant

PARTS = [
    "ReservationsApi",
    "PaymentsApi",
    "BlockersOnReservationChange",
    "BlockersOnShadowUpdate",
    "CheckExpiring",
    "PushNotifications",
]


def test_the_id_of_a_stay_finds_its_whole_story_over_api_stream_device_and_schedule(
    world: World, spot: Spot, driver: Driver
) -> None:
    logs, began_at = world.stack.client("logs"), datetime.now(UTC) - timedelta(seconds=5)

    def told() -> list[tuple[str, str]]:
        groups = groups_of(logs, world.stack.stack_name)
        return [(line.group, line.text) for line in story(logs, groups, stay["reservation_id"], began_at)]

    def complete() -> list[tuple[str, str]] | None:
        lines = told()
        return lines if {group for group, _ in lines} >= set(PARTS) else None

    stay = reserve(driver, spot)
    pay(driver, stay)
    await_guard(driver, stay, position="RAISED")
    act(driver, stay, "arrival", status=202)
    await_status(driver, stay, "ACTIVE")
    world.tick("CheckExpiring", instant(stay["ends_at"]) - timedelta(minutes=30))

    lines = eventually(complete, "every function to have said its part")
    states = [fact.split()[2] for _, text in lines for fact in text.splitlines() if fact.split()[0] == "Reservation"]
    assert list(dict.fromkeys(states)) == ["HELD", "CONFIRMED", "ACTIVE"]
    began = list(dict.fromkeys(group for group, _ in lines if group != "PushNotifications"))
    assert began == PARTS[:-1]  # a push goes its own way, beside the others
    asked = [text for group, text in lines if group == "BlockersOnShadowUpdate"]
    assert all("correlation_id=cmd_" in text for text in asked)
