"""What the app gets of the inbox, and sends about phones."""

from typing import Annotated

from pydantic import Field

from parking.domain.notification import Notification, NotificationKind, Platform
from parking.domain.preferences import NotificationPreferences
from parking.domain.telling import MUTABLE
from parking.forms import In
from parking.http import Instant, Out
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


LanguageTag = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8})*$",
        max_length=35,
        description="BCP 47, such as ru or ru-RU. Where we do not speak the language it is English.",
    ),
]


class PreferencesIn(In):
    """How the driver wants to be told; it replaces what was wished before."""

    locale: LanguageTag | None = None
    muted: Annotated[list[NotificationKind], Field(max_length=len(NotificationKind))]


class PreferencesOut(Out):
    """How the driver wants to be told. `mutable` lists what can be muted; without `locale` the phone's counts."""

    locale: str | None
    muted: list[NotificationKind]
    mutable: list[NotificationKind]

    @classmethod
    def of(cls, preferences: NotificationPreferences) -> "PreferencesOut":
        """The preferences as the app shows them."""
        return cls(locale=preferences.locale, muted=sorted(preferences.muted), mutable=sorted(MUTABLE))


class PushDeviceIn(In):
    """A phone, the token that its platform gave the app, and what its driver reads."""

    platform: Platform
    token: Annotated[str, Field(pattern=r"^[A-Za-z0-9_:.\-]{8,4096}$")]
    locale: LanguageTag | None = None


class PushDeviceOut(Out):
    """A phone. `reachable` is false where this stack has no credentials for its platform; the inbox works anyway."""

    device_id: str
    platform: Platform
    reachable: bool
