"""Items of the Notifications, PushDevices and EndpointOwners tables."""

from pynamodb.attributes import JSONAttribute, UnicodeAttribute

from parking.adapters.dynamodb.attributes import EnumAttribute, InstantAttribute, VersionedModel
from parking.domain.ids import DeviceId, NotificationId, UserId
from parking.domain.notification import EndpointOwner, Notification, NotificationKind, Platform, PushDevice


class NotificationModel(VersionedModel):
    """One entry of an inbox. `data` is JSON text: nothing ever asks DynamoDB about its inside."""

    user_id = UnicodeAttribute(hash_key=True)
    notification_id = UnicodeAttribute(range_key=True)
    kind = EnumAttribute(NotificationKind)
    data = JSONAttribute()
    created_at = InstantAttribute()
    read_at = InstantAttribute(null=True)


class PushDeviceModel(VersionedModel):
    """A phone."""

    user_id = UnicodeAttribute(hash_key=True)
    device_id = UnicodeAttribute(range_key=True)
    platform = EnumAttribute(Platform)
    token = UnicodeAttribute()
    locale = UnicodeAttribute(null=True)
    endpoint = UnicodeAttribute(null=True)


class EndpointOwnerModel(VersionedModel):
    """Who registered an endpoint last."""

    endpoint = UnicodeAttribute(hash_key=True)
    user_id = UnicodeAttribute()
    device_id = UnicodeAttribute()


def notification_item_of(notification: Notification) -> NotificationModel:
    """The notification as it is stored."""
    return NotificationModel(
        user_id=notification.user_id,
        notification_id=notification.notification_id,
        kind=notification.kind,
        data=notification.data,
        created_at=notification.created_at,
        read_at=notification.read_at,
        version=notification.version,
    )


def notification_of(item: NotificationModel) -> Notification:
    """The stored notification."""
    return Notification(
        user_id=UserId(item.user_id),
        notification_id=NotificationId(item.notification_id),
        kind=item.kind,
        data=item.data,
        created_at=item.created_at,
        read_at=item.read_at,
        version=item.version,
    )


def push_device_item_of(device: PushDevice) -> PushDeviceModel:
    """The device as it is stored."""
    return PushDeviceModel(
        user_id=device.user_id,
        device_id=device.device_id,
        platform=device.platform,
        token=device.token,
        locale=device.locale,
        endpoint=device.endpoint,
        version=device.version,
    )


def push_device_of(item: PushDeviceModel) -> PushDevice:
    """The stored device."""
    return PushDevice(
        user_id=UserId(item.user_id),
        device_id=DeviceId(item.device_id),
        platform=item.platform,
        token=item.token,
        locale=item.locale,
        endpoint=item.endpoint,
        version=item.version,
    )


def endpoint_owner_item_of(owner: EndpointOwner) -> EndpointOwnerModel:
    """The owner as it is stored."""
    return EndpointOwnerModel(
        endpoint=owner.endpoint, user_id=owner.user_id, device_id=owner.device_id, version=owner.version
    )


def endpoint_owner_of(item: EndpointOwnerModel) -> EndpointOwner:
    """The stored owner."""
    return EndpointOwner(
        endpoint=item.endpoint,
        user_id=UserId(item.user_id),
        device_id=DeviceId(item.device_id),
        version=item.version,
    )
