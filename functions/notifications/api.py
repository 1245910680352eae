"""The inbox, and the phones that want to be told."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from notifications.schemas import NotificationOut, NotificationsOut, PushDeviceIn, PushDeviceOut
from parking import wiring
from parking.domain.ids import DeviceId, NotificationId
from parking.domain.notification import Notification
from parking.http import Cursor, Door, IdPath, Limit, documented, entry
from parking.services import notifications

door = Door()
app = door.app
handler = entry(door)


@app.get(
    "/notifications",
    summary="My inbox",
    tags=["notifications"],
    responses=documented(HTTPStatus.OK, NotificationsOut),
)
def list_(unread: Annotated[bool, Query()] = False, limit: Limit = 20, cursor: Cursor = None) -> NotificationsOut:
    """Newest first."""
    page = wiring.store().page(Notification, door.user_id, limit=limit, cursor=cursor, unread=unread)
    return NotificationsOut(items=[NotificationOut.of(one) for one in page.items], next_cursor=page.cursor)


@app.post(
    "/notifications/<notification_id>/read",
    summary="I have read it",
    tags=["notifications"],
    responses=documented(HTTPStatus.OK, NotificationOut, HTTPStatus.NOT_FOUND),
)
def read(notification_id: IdPath) -> NotificationOut:
    """The first time counts."""
    store = wiring.store()
    return NotificationOut.of(notifications.mark_read(store, door.user_id, NotificationId(notification_id), door.now))


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
