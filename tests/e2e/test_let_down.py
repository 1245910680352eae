"""A driver who cannot rely on the spot: its barrier has not risen, or it was taken out of service."""

from datetime import timedelta

from tests.e2e.stays import RICH_MINOR, act, balance, inbox, paid, read
from tests.e2e.world import World, instant, utc


def test_who_is_let_down_is_told_and_has_everything_back(world: World) -> None:
    driver, spot = world.driver(RICH_MINOR), world.spot_without_machine()
    near = paid(driver, spot, begins_in=timedelta(minutes=20))
    far = paid(driver, spot, begins_in=timedelta(days=9))
    starts = instant(near["starts_at"])
    for _ in range(2):
        world.tick("PrepareUpcoming", starts)
    (told,) = inbox(driver, "GUARD_FAILED")
    assert told["data"]["reservation_id"] == near["reservation_id"]
    assert read(driver, near)["guard_failed_at"] == utc(starts)
    assert act(driver, near, "cancellation")["reason"] == "BLOCKER_FAILED"

    word = {"blocker_id": spot.blocker_id, "operator": "e2e", "reason": "roadworks"}
    for _ in range(2):
        answer, failed = world.invoke("BlockerCommand", word | {"action": "OUT_OF_SERVICE"})
        assert not failed, answer
    (closed,) = inbox(driver, "SPOT_OUT_OF_SERVICE")
    assert closed["data"]["given_up_at"] == utc(instant(far["starts_at"]) + timedelta(minutes=5))
    assert read(driver, far)["unserved_at"] is not None
    world.tick("PrepareUpcoming", instant(closed["data"]["given_up_at"]))
    world.tick("PrepareUpcoming", instant(closed["data"]["given_up_at"]) + timedelta(minutes=1))
    ended = read(driver, far)
    assert (ended["status"], ended["reason"]) == ("CANCELLED", "SPOT_OUT_OF_SERVICE")
    assert balance(driver) == RICH_MINOR
