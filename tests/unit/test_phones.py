"""Phones: tokens that change, phones that change hands, and signing out."""

from collections.abc import Callable

import pytest

from parking.adapters.memory.push import MemoryPush
from parking.domain.errors import NotFound, TooManyPushDevices
from parking.domain.ids import DeviceId, UserId
from parking.domain.notification import EndpointOwner, Platform, PushDevice
from parking.services.notifications import knock
from parking.services.phones import MOST_DEVICES, register_device, sign_out_device
from tests.builders import a_notification
from tests.unit.world import ANNA, BORIS, World

PHONE, TABLET = DeviceId("phone"), DeviceId("tablet")


@pytest.fixture
def push() -> MemoryPush:
    return MemoryPush()


@pytest.fixture
def register(world: World, push: MemoryPush) -> Callable[..., PushDevice]:
    def sign_in(user_id: UserId, token: str, device_id: DeviceId = PHONE) -> PushDevice:
        return register_device(world.store, push, user_id, device_id, platform=Platform.FCM, token=token)

    return sign_in


def reached(world: World, push: MemoryPush, user_id: UserId) -> list[str]:
    """The tokens at which the driver's next notice arrives."""
    push.published.clear()
    knock(world.store, push, a_notification(user_id=user_id))
    return [endpoint.rpartition("/")[2] for endpoint, _ in push.published]


Register = Callable[..., PushDevice]


def test_a_phone_with_a_new_token_is_one_phone(world: World, push: MemoryPush, register: Register) -> None:
    old = register(ANNA, "t1")
    register(ANNA, "t2")
    assert reached(world, push, ANNA) == ["t2"]
    assert len(world.store.push_devices(ANNA)) == 1
    assert old.endpoint not in push.enabled
    assert world.store.get(EndpointOwner, old.endpoint or "") is None


def test_registering_again_enables_a_disabled_endpoint(world: World, push: MemoryPush, register: Register) -> None:
    device = register(ANNA, "t1")
    push.disable(device.endpoint or "")
    register(ANNA, "t1")
    assert reached(world, push, ANNA) == ["t1"]


def test_a_phone_that_was_dropped_is_told_again_when_its_app_starts(
    world: World, push: MemoryPush, register: Register
) -> None:
    device = register(ANNA, "t1")
    push.disable(device.endpoint or "")
    assert reached(world, push, ANNA) == []
    register(ANNA, "t1")
    assert reached(world, push, ANNA) == ["t1"]


def test_whoever_forgets_a_phone_as_it_was_does_not_forget_one_that_registered_since(
    world: World, register: Register
) -> None:
    register(ANNA, "t1")
    (as_it_was,) = world.store.push_devices(ANNA)
    register(ANNA, "t1")
    world.store.forget(as_it_was)
    assert len(world.store.push_devices(ANNA)) == 1


@pytest.mark.parametrize("device_id", [PHONE, TABLET])
def test_a_phone_that_was_handed_on_tells_its_new_driver_only(
    world: World, push: MemoryPush, register: Register, device_id: DeviceId
) -> None:
    register(ANNA, "t1")
    register(BORIS, "t1", device_id)
    assert reached(world, push, ANNA) == []
    assert reached(world, push, BORIS) == ["t1"]
    assert world.store.push_devices(ANNA) == []


def test_a_phone_that_came_back_tells_its_first_driver_again(
    world: World, push: MemoryPush, register: Register
) -> None:
    for driver in (ANNA, BORIS, ANNA):
        register(driver, "t1")
    assert reached(world, push, ANNA) == ["t1"]
    assert reached(world, push, BORIS) == []


def test_who_signs_out_late_does_not_silence_the_phones_next_driver(
    world: World, push: MemoryPush, register: Register
) -> None:
    register(ANNA, "t1")
    register(BORIS, "t1")
    sign_out_device(world.store, push, ANNA, PHONE)
    assert reached(world, push, BORIS) == ["t1"]


def test_a_new_token_of_the_first_driver_does_not_silence_the_next_one(
    world: World, push: MemoryPush, register: Register
) -> None:
    register(ANNA, "t1")
    register(BORIS, "t1")
    register(ANNA, "t2")
    assert reached(world, push, BORIS) == ["t1"]
    assert reached(world, push, ANNA) == ["t2"]


def test_the_same_name_of_a_phone_is_another_phone_for_another_driver(
    world: World, push: MemoryPush, register: Register
) -> None:
    register(ANNA, "t1")
    register(BORIS, "t2")
    assert (reached(world, push, ANNA), reached(world, push, BORIS)) == (["t1"], ["t2"])


def test_one_phone_under_two_names_is_told_once(world: World, push: MemoryPush, register: Register) -> None:
    register(ANNA, "t1", TABLET)
    register(ANNA, "t1", PHONE)
    assert reached(world, push, ANNA) == ["t1"]
    assert [one.device_id for one in world.store.push_devices(ANNA)] == [PHONE]


def test_a_signed_out_phone_is_not_told(world: World, push: MemoryPush, register: Register) -> None:
    device = register(ANNA, "t1")
    sign_out_device(world.store, push, ANNA, PHONE)
    assert reached(world, push, ANNA) == []
    assert device.endpoint not in push.enabled
    assert world.store.get(EndpointOwner, device.endpoint or "") is None
    with pytest.raises(NotFound):
        sign_out_device(world.store, push, ANNA, PHONE)


def test_a_driver_has_so_many_phones_and_no_more(world: World, push: MemoryPush, register: Register) -> None:
    for number in range(MOST_DEVICES):
        register(ANNA, f"t{number}", DeviceId(f"phone-{number}"))
    with pytest.raises(TooManyPushDevices):
        register(ANNA, "one-more", TABLET)
    register(ANNA, "rotated", DeviceId("phone-0"))
    register(BORIS, "t1", TABLET)
