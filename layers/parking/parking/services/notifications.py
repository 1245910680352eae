"""The inbox, how a driver wants to be told, and the knock at the phones."""

from collections.abc import Collection, Sequence
from datetime import datetime

from parking.domain.errors import NotFound
from parking.domain.ids import NotificationId, UserId
from parking.domain.notification import EndpointOwner, Notification, NotificationKind
from parking.domain.preferences import NotificationPreferences
from parking.services.commit import until_committed
from parking.services.ports import EndpointGone, Push, Store
from parking.services.push_messages import message_of
from parking.services.wording.catalogue import language_for
from parking.services.wording.language import Language


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


def preferences_of(store: Store, user_id: UserId) -> NotificationPreferences:
    """The driver's wishes; who never said any has none."""
    return store.get(NotificationPreferences, user_id) or NotificationPreferences(user_id=user_id)


def set_preferences(
    store: Store, user_id: UserId, *, locale: str | None, muted: Collection[NotificationKind]
) -> NotificationPreferences:
    """The driver's wishes, replaced. Raises InvalidField for a kind that cannot be muted."""

    def attempt() -> NotificationPreferences:
        after = preferences_of(store, user_id).changed(locale, muted)
        store.commit(after)
        return after

    return until_committed(attempt)


def language_of(store: Store, user_id: UserId, spoken_here: Sequence[str | None]) -> Language:
    """What the driver reads: what they chose, else the first that we speak of what their phone speaks."""
    return language_for((preferences_of(store, user_id).locale, *spoken_here))


def knock(store: Store, push: Push, notification: Notification) -> int:
    """Push a notice to each of its driver's phones; how many were reached.

    A phone that is gone, or that another driver has signed in on, is forgotten. One phone's failure keeps no other
    waiting: it is raised when all were tried, and the collapse id hides the next try from those that were reached.
    """
    preferences = preferences_of(store, notification.user_id)
    if preferences.mutes(notification.kind):
        return 0
    devices = [(one.endpoint, one) for one in store.push_devices(notification.user_id) if one.endpoint]
    owners = {one.endpoint: one for one in store.get_many(EndpointOwner, [(endpoint,) for endpoint, _ in devices])}
    reached, failures = 0, list[Exception]()
    for endpoint, device in devices:
        owner = owners.get(endpoint)
        if owner is None or not owner.is_of(device):
            store.forget(device)
            continue
        try:
            language = language_for((preferences.locale, device.locale))
            push.publish(endpoint, device.platform, message_of(notification, language))
            reached += 1
        except EndpointGone:
            store.forget(device)
        except Exception as failure:  # the other phones must not wait for it; raised below
            failures.append(failure)
    if failures:
        raise failures[0]
    return reached
