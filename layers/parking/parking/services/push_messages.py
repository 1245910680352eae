"""What a phone is sent of a notice, whichever its platform."""

from datetime import datetime, timedelta

from parking.domain.notification import Notification
from parking.domain.telling import MANNERS
from parking.services.ports import PushMessage
from parking.services.wording.language import Language

DEEP_LINK = "smartparking://"
"""The app registers this scheme: reservations/{reservation_id}, or wallet."""
_SHORTEST = timedelta(seconds=1)  # a message that may wait for no time at all would be dropped


def message_of(notification: Notification, language: Language) -> PushMessage:
    """The notice in the language of the phone."""
    words, manner = language.words(notification), MANNERS[notification.kind]
    ttl = None
    if manner.useful_until:
        until = datetime.fromisoformat(notification.data[manner.useful_until])
        ttl = max(until - notification.created_at, _SHORTEST)
    reservation_id = notification.data.get("reservation_id")
    subject = f"reservations/{reservation_id}" if reservation_id else "wallet"
    return PushMessage(
        notification_id=notification.notification_id,
        title=words.title,
        text=words.text,
        thread=subject,
        topic=manner.topic,
        urgent=manner.urgent,
        ttl=ttl,
        data={
            **notification.data,
            "notification_id": notification.notification_id,
            "kind": notification.kind.value,
            "link": f"{DEEP_LINK}{subject}",
        },
    )
