"""Items of the NotificationPreferences table: one per driver who has wishes."""

from pynamodb.attributes import ListAttribute, UnicodeAttribute

from parking.adapters.dynamodb.attributes import VersionedModel
from parking.domain.ids import UserId
from parking.domain.notification import NotificationKind
from parking.domain.preferences import NotificationPreferences


class NotificationPreferencesModel(VersionedModel):
    """A driver's wishes."""

    user_id = UnicodeAttribute(hash_key=True)
    locale = UnicodeAttribute(null=True)
    muted: ListAttribute[str] = ListAttribute()


def item_of(preferences: NotificationPreferences) -> NotificationPreferencesModel:
    """The preferences as they are stored."""
    return NotificationPreferencesModel(
        user_id=preferences.user_id,
        locale=preferences.locale,
        muted=sorted(kind.value for kind in preferences.muted),
        version=preferences.version,
    )


def preferences_of(item: NotificationPreferencesModel) -> NotificationPreferences:
    """The stored preferences."""
    return NotificationPreferences(
        user_id=UserId(item.user_id),
        locale=item.locale,
        muted=frozenset(NotificationKind(kind) for kind in item.muted),
        version=item.version,
    )
