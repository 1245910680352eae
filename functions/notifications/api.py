"""The inbox, and the phones that want to be told."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from notifications.accept_language import AcceptLanguage, wished
from notifications.schemas import NotificationOut, NotificationsOut, PushDeviceIn, PushDeviceOut
from parking import wiring
from parking.domain.ids import DeviceId, NotificationId
from parking.domain.notification import Notification
from parking.http import Cursor, Door, IdPath, Limit, documented, entry
from parking.services import notifications
from parking.services.wording.catalogue import language_for

door = Door()
app = door.app
handler = entry(door)


@app.get(
    "/notifications",
    summary="My inbox",
    tags=["notifications"],
    responses=documented(HTTPStatus.OK, NotificationsOut),
)
def list_(
    unread: Annotated[bool, Query()] = False,
    limit: Limit = 20,
    cursor: Cursor = None,
    accept_language: AcceptLanguage = "",
) -> NotificationsOut:
    """Newest first, in the language of `Accept-Language` where we speak it, else in English."""
    page = wiring.store().page(Notification, door.user_id, limit=limit, cursor=cursor, unread=unread)
    language = language_for(wished(accept_language))
    return NotificationsOut(items=[NotificationOut.of(one, language) for one in page.items], next_cursor=page.cursor)


@app.post(
    "/notifications/<notification_id>/read",
    summary="I have read it",
    tags=["notifications"],
    responses=documented(HTTPStatus.OK, NotificationOut, HTTPStatus.NOT_FOUND),
)
def read(notification_id: IdPath, accept_language: AcceptLanguage = "") -> NotificationOut:
    """The first time counts."""
    notice = notifications.mark_read(wiring.store(), door.user_id, NotificationId(notification_id), door.now)
    return NotificationOut.of(notice, language_for(wished(accept_language)))


@app.put(
    "/push-devices/<device_id>",
    summary="Tell this phone",
    tags=["notifications"],
    responses=documented(HTTPStatus.OK, PushDeviceOut),
)
def register(device_id: IdPath, wish: PushDeviceIn) -> PushDeviceOut:
    """Registers a phone or its new token."""
    device = notifications.register_device(
        wiring.store(),
        wiring.push(),
        door.user_id,
        DeviceId(device_id),
        platform=wish.platform,
        token=wish.token,
    )
    return PushDeviceOut(device_id=device.device_id, platform=device.platform, reachable=device.endpoint is not None)


@app.delete(
    "/push-devices/<device_id>",
    summary="Do not tell this phone any more",
    tags=["notifications"],
    responses=documented(HTTPStatus.NO_CONTENT, None, HTTPStatus.NOT_FOUND),
)
def sign_out(device_id: IdPath) -> Response[Any]:
    """Forgets the phone."""
    notifications.sign_out_device(wiring.store(), wiring.push(), door.user_id, DeviceId(device_id))
    return Response(HTTPStatus.NO_CONTENT.value, body="")
