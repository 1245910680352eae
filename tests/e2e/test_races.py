"""Many drivers, one interval: one winner, and a plain answer for everybody else."""

from collections import Counter
from datetime import timedelta
from functools import partial
from itertools import pairwise

from tests.e2e.stays import wish
from tests.e2e.world import Spot, World, at_once, expect

DRIVERS = 50


def test_of_fifty_drivers_at_once_exactly_one_gets_the_interval(world: World, spot: Spot) -> None:
    drivers = world.many_drivers(DRIVERS)
    body = wish(spot, begins_in=timedelta(hours=2))
    answers = at_once([partial(driver.post, "/reservations", body) for driver in drivers])

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: DRIVERS - 1}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"spot_unavailable"}
    winner = next(driver for driver, answer in zip(drivers, answers, strict=True) if answer.status_code == 201)
    for driver in drivers:
        held = expect(200, driver.get("/reservations"))["items"]
        assert len(held) == (driver is winner)
    day = expect(
        200, winner.get(f"/spots/{spot.spot_id}/quote?starts_at={body['starts_at']}&ends_at={body['ends_at']}")
    )
    assert not day["available"]


def test_neighbouring_intervals_taken_at_once_never_overlap(world: World, spot: Spot) -> None:
    """Ten drivers want ten intervals, each of which overlaps the next: whoever wins, no two winners touch."""
    drivers = world.many_drivers(10)
    wishes = [wish(spot, begins_in=timedelta(hours=5, minutes=30 * number)) for number in range(10)]
    answers = at_once(
        [partial(driver.post, "/reservations", body) for driver, body in zip(drivers, wishes, strict=True)]
    )

    assert {answer.status_code for answer in answers} == {201, 409}
    won = sorted((body["starts_at"], body["ends_at"]) for body in (a.json() for a in answers) if "starts_at" in body)
    assert all(before[1] < after[0] for before, after in pairwise(won))
