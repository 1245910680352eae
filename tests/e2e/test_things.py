"""The policy of the template: a blocker's certificate connects as itself only, and reaches its own topics only."""

from collections.abc import Callable

import pytest
from awscrt import mqtt5

from tests.e2e.test_operators import WISH
from tests.e2e.things import Thing, connected, made, publish, shadow_topic, subscribe
from tests.e2e.world import Spot, World

DIRECTIONS = pytest.mark.parametrize(("own", "other"), [("e2e-thing-a", "e2e-thing-b"), ("e2e-thing-b", "e2e-thing-a")])


@pytest.fixture(scope="module")
def things(world: World) -> dict[str, Thing]:
    """Two blockers that no simulator runs, by their spots."""
    found = {}
    for spot_id in ("e2e-thing-a", "e2e-thing-b"):
        answer, failed = world.invoke("ProvisionSpot", WISH | {"spot_id": spot_id})
        assert not failed, answer
        found[spot_id] = made(world, answer)
    return found


@pytest.fixture
def thing(things: dict[str, Thing]) -> Thing:
    return things["e2e-thing-a"]


def test_a_blocker_reaches_its_own_topics(world: World, thing: Thing) -> None:
    with connected(world, thing, thing.blocker_id) as client:
        for last in ("get/accepted", "get/rejected", "update/delta", "update/rejected"):
            assert subscribe(client, shadow_topic(thing.blocker_id, last)), last
        for topic in (
            shadow_topic(thing.blocker_id, "get"),
            shadow_topic(thing.blocker_id, "update"),
            f"parking/blockers/{thing.blocker_id}/will",
        ):
            assert publish(client, topic), topic


@DIRECTIONS
def test_a_certificate_cannot_connect_under_another_name(
    world: World, spot: Spot, things: dict[str, Thing], own: str, other: str
) -> None:
    thing = things[own]
    for name in (things[other].blocker_id, spot.blocker_id, "somebody", f"{thing.blocker_id}-2", "claim-1"):
        with pytest.raises(ConnectionRefusedError), connected(world, thing, name):
            pytest.fail(f"connected as {name}")


@DIRECTIONS
def test_a_certificate_that_is_not_connected_as_itself_keeps_nobody_else_out(
    world: World, things: dict[str, Thing], own: str, other: str
) -> None:
    """A refused impostor does not end the session of the one whose name it took."""
    with connected(world, things[other], things[other].blocker_id) as client:
        with pytest.raises(ConnectionRefusedError), connected(world, things[own], things[other].blocker_id):
            pytest.fail("an impostor connected")
        assert publish(client, shadow_topic(things[other].blocker_id, "get"))


def others(blocker_id: str) -> list[str]:
    """Topics of this blocker, and filters that hold them."""
    last = ("get", "get/accepted", "update", "update/accepted", "update/delta", "update/documents", "delete", "#")
    jobs = ("jobs/get", "jobs/notify-next", "jobs/1/update")
    return [
        *(shadow_topic(blocker_id, one) for one in last),
        *(f"$aws/things/{blocker_id}/{one}" for one in jobs),
        f"$aws/things/{blocker_id}/shadow/update",
        f"parking/blockers/{blocker_id}/will",
    ]


def nobodys(blocker_id: str) -> list[str]:
    """What no blocker needs: of its own the unnamed shadow and jobs, and what belongs to the service."""
    return [
        f"$aws/things/{blocker_id}/shadow/update",
        f"$aws/things/{blocker_id}/shadow/name/other/update",
        f"$aws/things/{blocker_id}/jobs/get",
        "$aws/certificates/create/json",
        "$aws/events/presence/connected/somebody",
        "parking/blockers",
        "anything",
    ]


FILTERS = (
    "#",
    "$aws/things/#",
    "$aws/things/+/shadow/name/barrier/update/delta",
    "parking/#",
    "parking/blockers/+/will",
)


@pytest.mark.parametrize("way", [subscribe, publish])
def test_a_blocker_cannot_reach_anothers_topics(
    world: World, spot: Spot, thing: Thing, way: Callable[[mqtt5.Client, str], bool]
) -> None:
    before = world.shadow(spot)
    wanted = [topic for topic in others(spot.blocker_id) if way is subscribe or not topic.endswith("#")]
    for topic in (*wanted, *nobodys(thing.blocker_id), *(FILTERS if way is subscribe else ())):
        with connected(world, thing, thing.blocker_id) as client:
            assert not way(client, topic), topic
    assert world.shadow(spot) == before


def test_a_blocker_deletes_not_even_its_own_shadow(world: World, thing: Thing) -> None:
    with connected(world, thing, thing.blocker_id) as client:
        assert not publish(client, shadow_topic(thing.blocker_id, "delete"))
