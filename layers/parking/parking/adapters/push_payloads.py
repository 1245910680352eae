"""The messages of the platforms, in the shapes that SNS hands on to them.

Sources: Apple, "Generating a remote notification" and "Sending notification requests to APNs"; Google, FCM HTTP v1
`Message` and `AndroidConfig`; Amazon SNS, "Message attributes" (the reserved ones) and "FCM v1 payloads".
"""

import json
from datetime import timedelta
from typing import Any

from parking.services.ports import PushMessage

_SECOND = timedelta(seconds=1)
PAYLOAD_BYTES_MAX = 4096
"""Both platforms refuse more."""


def apns(message: PushMessage) -> str:
    """Apple's payload: `aps` is Apple's, the rest is the app's."""
    aps = {
        "alert": {"title": message.title, "body": message.text},
        "sound": "default",
        "thread-id": message.thread,
        "interruption-level": "time-sensitive" if message.urgent else "active",
    }
    return _json({"aps": aps, **message.data})


def apns_headers(message: PushMessage, service: str) -> dict[str, str]:
    """SNS's reserved message attributes for the headers of Apple's request: a doubled push shows once.

    All are called APNS but the time to live, which SNS takes by the name of the service that the endpoint belongs to.
    """
    headers = {
        "AWS.SNS.MOBILE.APNS.PUSH_TYPE": "alert",
        "AWS.SNS.MOBILE.APNS.COLLAPSE_ID": message.notification_id,
        "AWS.SNS.MOBILE.APNS.PRIORITY": "10" if message.urgent else "5",
    }
    if message.ttl:
        headers[f"AWS.SNS.MOBILE.{service}.TTL"] = str(message.ttl // _SECOND)
    return headers


def fcm(message: PushMessage) -> str:
    """Google's message. While a phone is offline the newest of a topic waits for it; the tag hides a doubled one."""
    android: dict[str, Any] = {
        "collapse_key": message.topic.value,
        "priority": "HIGH" if message.urgent else "NORMAL",
        "notification": {"tag": message.notification_id},
    }
    if message.ttl:
        android["ttl"] = f"{message.ttl // _SECOND}s"
    sent = {
        "notification": {"title": message.title, "body": message.text},
        "android": android,
        "data": dict(message.data),
    }
    return _json({"fcmV1Message": {"message": sent}})


def _json(payload: object) -> str:
    """As short as it can be: a letter that is escaped would take six bytes."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
