"""What the app gets of the inbox, and sends about phones."""

from typing import Annotated

from pydantic import Field

from parking.domain.notification import Notification, NotificationKind, Platform
from parking.http import In, Instant, Out
from parking.services.wording.language import Language


class NotificationOut(Out):
    """One entry of the inbox."""

    notification_id: str
    kind: NotificationKind
    title: str
    text: str
    data: dict[str, str]
    created_at: Instant
    read_at: Instant | None

    @classmethod
    def of(cls, notification: Notification, language: Language) -> "NotificationOut":
        """The notice as the app shows it."""
        words = language.words(notification)
        return cls(
            notification_id=notification.notification_id,
            kind=notification.kind,
            title=words.title,
            text=words.text,
            data=notification.data,
            created_at=notification.created_at,
            read_at=notification.read_at,
        )


class NotificationsOut(Out):
    """A page of the inbox, newest first."""

    items: list[NotificationOut]
    next_cursor: str | None


class PushDeviceIn(In):
    """A phone and the token that its platform gave the app."""

    platform: Platform
    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_:.\-]{8,4096}$")]


class PushDeviceOut(Out):
    """A phone. `reachable` is false where this stack has no credentials for its platform; the inbox works anyway."""

    device_id: str
    platform: Platform
    reachable: bool
