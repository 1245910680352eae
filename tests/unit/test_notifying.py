"""The inbox, the phones, and the words."""

import pytest

from parking.adapters.memory.push import MemoryPush
from parking.domain.errors import NotFound
from parking.domain.ids import DeviceId, NotificationId
from parking.domain.notification import Platform, PushDevice
from parking.services.notifications import knock, mark_read, register_device, sign_out_device
from tests.builders import a_notification
from tests.unit.world import ANNA, BORIS, World, at

PHONE = DeviceId("phone")


def register(world: World, push: MemoryPush, token: str, platform: Platform = Platform.FCM) -> PushDevice:
    """Anna's phone."""
    return register_device(world.store, push, ANNA, PHONE, platform=platform, token=token)


def test_a_notice_is_read_once_and_the_first_time_counts(world: World) -> None:
    notice = a_notification(user_id=ANNA)
    world.store.commit(notice)
    assert mark_read(world.store, ANNA, notice.notification_id, at(1)).read_at == at(1)
    assert mark_read(world.store, ANNA, notice.notification_id, at(2)).read_at == at(1)


def test_another_drivers_notice_is_not_found(world: World) -> None:
    notice = a_notification(user_id=ANNA)
    world.store.commit(notice)
    for user, notification_id in ((BORIS, notice.notification_id), (ANNA, NotificationId("ntf_none"))):
        with pytest.raises(NotFound):
            mark_read(world.store, user, notification_id, at(1))


def test_a_phone_is_knocked_at(world: World) -> None:
    push, notice = MemoryPush(), a_notification(user_id=ANNA)
    device = register(world, push, "t1")
    assert knock(world.store, push, notice) == 1
    assert [(to, message.notification) for to, message in push.published] == [(device.endpoint, notice)]


def test_a_phone_with_a_new_token_is_one_phone(world: World) -> None:
    push = MemoryPush()
    register(world, push, "t1")
    register(world, push, "t1")
    register(world, push, "t2")
    (device,) = world.store.push_devices(ANNA)
    assert (device.token, device.version) == ("t2", 2)


def test_a_phone_that_is_gone_is_forgotten_and_keeps_no_other_waiting(world: World) -> None:
    push, notice = MemoryPush(), a_notification(user_id=ANNA)
    gone = register(world, push, "t1")
    register_device(world.store, push, ANNA, DeviceId("tablet"), platform=Platform.APNS, token="t2")
    push.disable(gone.endpoint or "")
    assert knock(world.store, push, notice) == 1
    assert [device.device_id for device in world.store.push_devices(ANNA)] == ["tablet"]
    assert knock(world.store, push, notice) == 1


def test_where_a_platform_has_no_credentials_the_inbox_alone_tells(world: World) -> None:
    push = MemoryPush(platforms=[Platform.FCM])
    assert register(world, push, "t1", Platform.APNS).endpoint is None
    assert knock(world.store, push, a_notification(user_id=ANNA)) == 0
    assert len(world.store.push_devices(ANNA)) == 1


def test_only_the_drivers_own_phones_are_knocked_at(world: World) -> None:
    push = MemoryPush()
    register(world, push, "t1")
    assert knock(world.store, push, a_notification(user_id=BORIS)) == 0


def test_a_signed_out_phone_is_not_knocked_at(world: World) -> None:
    push = MemoryPush()
    register(world, push, "t1")
    sign_out_device(world.store, push, ANNA, PHONE)
    assert knock(world.store, push, a_notification(user_id=ANNA)) == 0
    with pytest.raises(NotFound):
        sign_out_device(world.store, push, ANNA, PHONE)
