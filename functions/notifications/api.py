"""The inbox, and the phones that want to be told."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from notifications.accept_language import AcceptLanguage, wished
from notifications.schemas import (
    NotificationOut,
    NotificationsOut,
    PreferencesIn,
    PreferencesOut,
    PushDeviceIn,
    PushDeviceOut,
)
from parking import wiring
from parking.domain.ids import DeviceId, NotificationId
from parking.domain.notification import Notification
from parking.http import Cursor, Door, IdPath, Limit, documented, entry
from parking.services import notifications, phones

door = Door()
app = door.app
handler = entry(door)


@app.get(
    "/notifications",
    summary="My inbox",
    tags=["notifications"],
    responses=documented(HTTPStatus.OK, NotificationsOut),
)
def list_notifications(
    unread: Annotated[bool, Query()] = False,
    limit: Limit = 20,
    cursor: Cursor = None,
    accept_language: AcceptLanguage = "",
) -> NotificationsOut:
    """Newest first, in the language that the driver chose, else `Accept-Language`'s, else English."""
    page = wiring.store().page(Notification, door.user_id, limit=limit, cursor=cursor, unread=unread)
    language = notifications.language_of(wiring.store(), door.user_id, wished(accept_language))
    return NotificationsOut(items=[NotificationOut.of(one, language) for one in page.items], next_cursor=page.cursor)


@app.post(
    "/notifications/<notification_id>/read",
    summary="I have read it",
    tags=["notifications"],
    responses=documented(HTTPStatus.OK, NotificationOut, HTTPStatus.NOT_FOUND),
)
def mark_read(notification_id: IdPath, accept_language: AcceptLanguage = "") -> NotificationOut:
    """The first time counts."""
    notice = notifications.mark_read(wiring.store(), door.user_id, NotificationId(notification_id), door.now)
    language = notifications.language_of(wiring.store(), door.user_id, wished(accept_language))
    return NotificationOut.of(notice, language)


@app.get(
    "/notification-preferences",
    summary="How I want to be told",
    tags=["notifications"],
    responses=documented(HTTPStatus.OK, PreferencesOut),
)
def get_preferences() -> PreferencesOut:
    """Language and muted kinds."""
    return PreferencesOut.of(notifications.preferences_of(wiring.store(), door.user_id))


@app.put(
    "/notification-preferences",
    summary="I want to be told like this",
    tags=["notifications"],
    responses=documented(HTTPStatus.OK, PreferencesOut),
)
def set_preferences(wish: PreferencesIn) -> PreferencesOut:
    """Replaces my wishes. A muted kind still comes into the inbox; one that has to be told is 400."""
    return PreferencesOut.of(
        notifications.set_preferences(wiring.store(), door.user_id, locale=wish.locale, muted=wish.muted)
    )


@app.put(
    "/push-devices/<device_id>",
    summary="Tell this phone",
    tags=["notifications"],
    responses=documented(HTTPStatus.OK, PushDeviceOut, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
)
def register_push_device(device_id: IdPath, wish: PushDeviceIn, accept_language: AcceptLanguage = "") -> PushDeviceOut:
    """Registers a phone or its new token, at every start of the app; who had the phone before is not told there.

    Without `locale` the first language of `Accept-Language` counts.
    """
    device = phones.register_device(
        wiring.store(),
        wiring.push(),
        door.user_id,
        DeviceId(device_id),
        platform=wish.platform,
        token=wish.token,
        locale=wish.locale or next(iter(wished(accept_language)), None),
    )
    return PushDeviceOut(device_id=device.device_id, platform=device.platform, reachable=device.endpoint is not None)


@app.delete(
    "/push-devices/<device_id>",
    summary="Do not tell this phone any more",
    tags=["notifications"],
    responses=documented(HTTPStatus.NO_CONTENT, None, HTTPStatus.NOT_FOUND),
)
def remove_push_device(device_id: IdPath) -> Response[Any]:
    """Forgets the phone."""
    phones.sign_out_device(wiring.store(), wiring.push(), door.user_id, DeviceId(device_id))
    return Response(HTTPStatus.NO_CONTENT.value, body="")
