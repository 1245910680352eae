"""What the use cases need from the outside world. Adapters implement these; nothing here knows of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from parking.domain.blocker import Blocker, Command, Report
from parking.domain.calendar import Calendar, CalendarDay
from parking.domain.ids import BlockerId, CommandId, SpotId, UserId
from parking.domain.ledger import Transaction, Wallet
from parking.domain.notification import Notification, Platform, PushDevice
from parking.domain.payment import Payment
from parking.domain.reservation import Reservation, Step
from parking.domain.spot import Location, Spot

Aggregate = Spot | CalendarDay | Reservation | Payment | Wallet | Transaction | Notification | PushDevice | Blocker
"""What is loaded and committed as a whole; `version` 0 means that it is not stored yet."""

Key = tuple[str, ...]


class Conflict(Exception):
    """Something that was read has changed before the commit. Nothing was written: load and decide again."""


class Busy(Exception):
    """The race was lost as often as we are willing to try, or the store is throttled. Nothing was written."""


class StoreUnavailable(Exception):
    """The store did not answer. Whether it wrote is unknown: ask again, nothing happens twice."""


class InvalidCursor(Exception):
    """The cursor is not one that we gave."""


@dataclass(frozen=True, slots=True)
class Page[A]:
    """One page of a list, and where the next one begins (None: this was the last)."""

    items: list[A]
    cursor: str | None


class Store(Protocol):
    """The tables. Every read by key is consistent."""

    def get[A: Aggregate](self, kind: type[A], *key: str) -> A | None:
        """One item by its whole key."""
        ...

    def get_many[A: Aggregate](self, kind: type[A], keys: Sequence[Key]) -> list[A]:
        """The items that exist of these keys, in the order of the keys. At most 100."""
        ...

    def calendar(self, spot_id: SpotId, days: Sequence[date]) -> Calendar:
        """These consecutive days; one that was never written is empty and has version 0."""
        ...

    def page[A: Aggregate](
        self,
        kind: type[A],
        user_id: UserId,
        *,
        limit: int,
        cursor: str | None = None,
        status: str | None = None,
        unread: bool = False,
    ) -> Page[A]:
        """A driver's reservations, payments, transactions or notifications, newest first.

        `status` filters reservations and `unread` notifications. Raises InvalidCursor.
        """
        ...

    def push_devices(self, user_id: UserId) -> list[PushDevice]:
        """All devices of a driver."""
        ...

    def spots_near(self, centre: Location, radius_m: float) -> list[Spot]:
        """Every spot within the radius, nearest first. The cost follows the area, not the number of spots."""
        ...

    def due(self, step: Step, now: datetime, limit: int) -> list[Key]:
        """The keys of reservations whose next step this is and whose time has come, the longest due first.

        Eventually consistent: check each one again after loading it.
        """
        ...

    def commit(self, *saves: Aggregate, unchanged: Sequence[Aggregate] = ()) -> None:
        """Write all of `saves` or nothing, if each, and each of `unchanged`, still has the version that was read.

        Raises Conflict if one has not, Busy if the store is throttled, StoreUnavailable if it did not answer. A stored
        item's version is one higher.
        """
        ...

    def forget(self, device: PushDevice) -> None:
        """Delete a push device; one that is gone already is fine."""
        ...


@dataclass(frozen=True, slots=True)
class Intent:
    """A PaymentIntent as Stripe shows it now."""

    intent_id: str
    status: str
    amount_minor: int
    amount_received_minor: int
    currency: str
    client_secret: str
    user_id: str | None
    payment_id: str | None


class CardError(Exception):
    """Stripe could not be asked, or its answer makes no sense to us. Whether it acted is unknown: ask again."""


class CardGateway(Protocol):
    """Stripe."""

    def create_intent(self, payment: Payment, description: str) -> Intent:
        """A PaymentIntent for the payment; the same payment always gets the same one. Raises CardError."""
        ...

    def intent(self, intent_id: str) -> Intent:
        """The PaymentIntent as it is now. Raises CardError."""
        ...


class ForgedWebhook(Exception):
    """The signature does not fit, or is too old."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """What Stripe tells: only where to look, since events come twice and out of order."""

    event_id: str
    kind: str
    object_id: str


class WebhookVerifier(Protocol):
    """Stripe's signature check."""

    def verify(self, payload: bytes, signature: str) -> WebhookEvent:
        """The event, if Stripe signed it within the tolerance. Raises ForgedWebhook."""
        ...


class ShadowConflict(Exception):
    """The shadow has moved on from the version that we know."""


class ShadowUnavailable(Exception):
    """IoT could not be asked, or did not answer. Whether it acted is unknown."""


@dataclass(frozen=True, slots=True)
class ShadowDocument:
    """The named shadow `barrier`, read: its version, and what the device last reported (None: nothing yet).

    `desired_command_id` is the command that it holds already: writing that again would only make the next document.
    """

    version: int
    report: Report | None
    desired_command_id: CommandId | None


class Shadows(Protocol):
    """The blockers' shadows in IoT Core."""

    def get(self, blocker_id: BlockerId) -> ShadowDocument | None:
        """The shadow as it is now; None if the device never had one. Raises ShadowUnavailable."""
        ...

    def desire(self, blocker_id: BlockerId, command: Command, version: int) -> None:
        """Write the command into `desired`, if the shadow still has this version (0: whatever it has).

        Raises ShadowConflict, ShadowUnavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a device needs to connect. The key is shown once and kept nowhere."""

    certificate_id: str
    certificate_pem: str
    private_key: str


class Things(Protocol):
    """The registry of IoT Core."""

    def register(self, blocker_id: BlockerId) -> Certificate:
        """Make the thing if it is new, give it a new certificate, and cut off every earlier one."""
        ...


class EndpointGone(Exception):
    """The push endpoint is disabled or deleted: the app was removed or the token rotated."""


class Push(Protocol):
    """SNS mobile push."""

    def register(self, device_id: str, platform: Platform, token: str) -> str | None:
        """The endpoint of a device; None where the stack has no credentials for the platform."""
        ...

    def remove(self, endpoint: str) -> None:
        """Delete an endpoint; one that is gone is fine."""
        ...

    def publish(self, endpoint: str, platform: Platform, notification: Notification) -> None:
        """Knock. Raises EndpointGone."""
        ...
