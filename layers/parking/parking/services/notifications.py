"""The inbox, and the phones that are knocked at."""

from datetime import datetime

from parking.domain.errors import NotFound
from parking.domain.ids import DeviceId, NotificationId, UserId
from parking.domain.notification import Notification, Platform, PushDevice
from parking.services.commit import until_committed
from parking.services.ports import EndpointGone, Push, PushMessage, Store
from parking.services.wording.en import ENGLISH


def mark_read(store: Store, user_id: UserId, notification_id: NotificationId, now: datetime) -> Notification:
    """The notice, read; the first time counts. Raises NotFound."""

    def attempt() -> Notification:
        before = store.get(Notification, user_id, notification_id)
        if before is None:
            raise NotFound("There is no such notification.", field="notification_id")
        after = before.read(now)
        if after != before:
            store.commit(after)
        return after

    return until_committed(attempt)


def register_device(
    store: Store, push: Push, user_id: UserId, device_id: DeviceId, *, platform: Platform, token: str
) -> PushDevice:
    """Remember a phone, or its new token."""
    endpoint = push.register(device_id, platform, token)

    def attempt() -> PushDevice:
        before = store.get(PushDevice, user_id, device_id)
        after = PushDevice(
            user_id=user_id,
            device_id=device_id,
            platform=platform,
            token=token,
            endpoint=endpoint,
            version=before.version if before else 0,
        )
        if after != before:
            store.commit(after)
        return after

    return until_committed(attempt)


def sign_out_device(store: Store, push: Push, user_id: UserId, device_id: DeviceId) -> None:
    """Forget a phone. Raises NotFound."""
    device = store.get(PushDevice, user_id, device_id)
    if device is None:
        raise NotFound("There is no such device.", field="device_id")
    if device.endpoint:
        push.remove(device.endpoint)
    store.forget(device)


def knock(store: Store, push: Push, notification: Notification) -> int:
    """Push a notice to each of its driver's phones; how many were reached. A phone that is gone is forgotten."""
    words = ENGLISH.words(notification)
    message = PushMessage(notification, words.title, words.text)
    reached = 0
    for device in store.push_devices(notification.user_id):
        if device.endpoint is None:
            continue
        try:
            push.publish(device.endpoint, device.platform, message)
            reached += 1
        except EndpointGone:
            store.forget(device)
    return reached
