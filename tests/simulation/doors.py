"""What each function of functions/ does between its event and the services; test_doors.py holds the two together."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from parking.domain.blocker import Connectivity
from parking.domain.guarding import blockers_to_tell
from parking.domain.ids import BlockerId, ReservationId, UserId
from parking.domain.notification import Notification
from parking.domain.payment import Payment
from parking.domain.reservation import Reservation
from parking.schedule import SweepFailed
from parking.services import accounts, bookings, notifications, schedules, settling, watching
from parking.services.blockers import reconcile, seen
from parking.services.card_payments import settle
from parking.services.certificates import connected
from parking.services.disputes import settle_dispute
from parking.services.payment_methods import remember_card
from parking.services.ports import (
    Busy,
    CardError,
    CardGateway,
    EntryCodes,
    Logins,
    Push,
    RefundRefused,
    ShadowDocument,
    Shadows,
    ShadowUnavailable,
    Store,
    StoreUnavailable,
    Things,
)
from parking.services.refunds import settle_refund
from parking.services.settling import carry_out
from parking.services.sweeping import Swept


@dataclass(frozen=True, slots=True)
class Ports:
    """What the services are given."""

    store: Store
    shadows: Shadows
    cards: CardGateway
    push: Push
    things: Things
    codes: EntryCodes
    logins: Logins
    tell: Callable[[Reservation | watching.Change], None]
    """The operators' ears."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A shadow's `update/documents`; `news` is whether the reported section, or its times, differ from before."""

    blocker_id: BlockerId
    document: ShadowDocument
    news: bool


@dataclass(frozen=True, slots=True)
class Presence:
    """A lifecycle event."""

    blocker_id: BlockerId
    connectivity: Connectivity
    version: int


def arrival(ports: Ports, user_id: UserId, reservation_id: ReservationId, now: datetime) -> Reservation:
    """POST /reservations/{id}/arrival."""
    reservation = bookings.arrive(ports.store, user_id, reservation_id, now)
    try:
        reconcile(ports.store, ports.shadows, reservation.blocker_id, now)
    except (Busy, ShadowUnavailable, StoreUnavailable):
        return reservation
    return reservation


def reservation_changed(ports: Ports, images: tuple[Reservation | None, Reservation], changed_at: datetime) -> None:
    """blockers/on_reservation_change, one record: what was there before, and what is now."""
    for blocker_id in blockers_to_tell(*images):
        reconcile(ports.store, ports.shadows, blocker_id, changed_at)


def shadow_updated(ports: Ports, heard: Heard, received_at: datetime) -> None:
    """blockers/on_shadow_update."""
    if heard.news:
        reconcile(ports.store, ports.shadows, heard.blocker_id, received_at, document=heard.document)


def presence_changed(ports: Ports, presence: Presence, at: datetime) -> None:
    """blockers/on_presence."""
    if presence.connectivity is Connectivity.ONLINE:
        connected(ports.store, presence.blocker_id, "a-certificate", at)
    news = seen(presence.connectivity, at, presence.version)
    reconcile(ports.store, ports.shadows, presence.blocker_id, at, learn=news)


def notice_made(ports: Ports, notification: Notification, _: datetime) -> None:
    """notifications/push, one record."""
    notifications.knock(ports.store, ports.push, notification)


def payment_changed(ports: Ports, image: Payment, changed_at: datetime) -> None:
    """payments/settle_refunds, one record."""
    if not image.asks_stripe:
        return
    try:
        carry_out(ports.store, ports.cards, image.key, changed_at)
    except (CardError, RefundRefused):
        return


def webhook(ports: Ports, event: tuple[str, str], now: datetime) -> None:
    """POST /stripe/webhook behind the signature check; the event's kind, and the object that it is about."""
    kind, object_id = event
    match kind.split("."):
        case ["payment_intent", *_]:
            settle(ports.store, ports.cards.intent(object_id), now)
        case ["setup_intent", "succeeded"]:
            remember_card(ports.store, ports.cards.setup(object_id, now))
        case ["refund", *_]:
            settle_refund(ports.store, ports.cards.refund(object_id), now)
        case ["charge", "dispute", *_]:
            settle_dispute(ports.store, ports.cards, ports.cards.dispute(object_id), now)


def settle_due(ports: Ports, now: datetime) -> Swept:
    """payments/settle_due: what Stripe could not or would not do is no failure of the run."""
    swept = settling.settle_due(ports.store, ports.cards, now)
    ours = {key: e for key, e in swept.failures.items() if not isinstance(e, (CardError, RefundRefused))}
    return replace(swept, failures=ours)


def erase_accounts(ports: Ports, now: datetime) -> Swept:
    """accounts/erase: what waits for Stripe, or for something to end, is no failure of the run."""
    swept = accounts.erase_due(ports.store, ports.cards, ports.push, ports.logins, now)
    ours = {key: e for key, e in swept.failures.items() if not isinstance(e, (CardError, accounts.ErasureOverdue))}
    return replace(swept, failures=ours)


def check_health(ports: Ports, now: datetime) -> Swept:
    """blockers/check_health."""
    swept = watching.check_health(ports.store, ports.shadows, now, ports.tell)
    watching.fleet(ports.store, now)
    return swept


SWEEPS: dict[str, Callable[[Ports, datetime], Swept]] = {
    "expire_holds": lambda ports, now: schedules.expire_holds(ports.store, now),
    "check_expiring": lambda ports, now: schedules.tell_ending(ports.store, now),
    "auto_complete": lambda ports, now: schedules.finish_stays(ports.store, now),
    "prepare_upcoming": lambda ports, now: schedules.guard_upcoming(ports.store, ports.shadows, now, ports.tell),
    "settle_due": settle_due,
    "check_health": check_health,
    "erase_accounts": erase_accounts,
}


class TickFailed(SweepFailed):
    """SweepFailed, with what failed."""

    def __init__(self, swept: Swept) -> None:
        super().__init__(f"{len(swept.failures)} items failed, {swept.moved} moved")
        self.failures = swept.failures


def tick(ports: Ports, schedule: str, time: datetime) -> None:
    """One of the schedules of every minute. Raises TickFailed."""
    swept = SWEEPS[schedule](ports, time)
    if swept.failures:
        raise TickFailed(swept)
