"""What the use cases need from the outside world. Adapters implement these; nothing here knows of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from parking.domain.area import Area, Rank
from parking.domain.audit import AuditEntry
from parking.domain.blocker import Blocker, Command, Report
from parking.domain.calendar import Calendar, CalendarDay
from parking.domain.customer import Customer, PaymentMethod
from parking.domain.due import Step
from parking.domain.enrolment import Enrolment
from parking.domain.favourites import Favourites
from parking.domain.health import Health
from parking.domain.ids import BlockerId, CommandId, NotificationId, ReservationId, SpotId, UserId
from parking.domain.ledger import Transaction, Wallet
from parking.domain.notification import EndpointOwner, Notification, Platform, PushDevice
from parking.domain.payment import Payment, Refund
from parking.domain.preferences import NotificationPreferences
from parking.domain.reservation import Reservation
from parking.domain.spot import Spot
from parking.domain.telling import Topic

Aggregate = (
    Spot
    | CalendarDay
    | Reservation
    | Payment
    | Wallet
    | Transaction
    | Customer
    | Notification
    | NotificationPreferences
    | PushDevice
    | EndpointOwner
    | Blocker
    | Favourites
    | AuditEntry
    | Enrolment
)
"""What is loaded and committed as a whole; `version` 0 means that it is not stored yet."""

Erasable = PushDevice | EndpointOwner | Customer | Notification | NotificationPreferences | Favourites
"""What may be deleted. Everything else is kept: it is money, or what money was paid for."""

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


@dataclass(frozen=True, slots=True, order=True)
class DueItem:
    """What the due index says of an item: since when its next step is due, and where it is."""

    at: datetime
    key: Key


class Each(Protocol):
    """`map`, or one that does some of the items at once; the answers come in the order of the items."""

    def __call__[A, B](self, act: Callable[[A], B], items: Iterable[A], /) -> Iterable[B]:
        """Act on each item."""
        ...


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

    def audit(self, blocker_id: BlockerId, limit: int) -> list[AuditEntry]:
        """The latest entries of a blocker, newest first."""
        ...

    def spots_near(self, area: Area, after: Rank | None = None) -> Iterator[Spot]:
        """Every spot in the area that ranks behind `after`, by rank. Eventually consistent.

        Reads while it is asked for more: the cost follows the area and what is taken, not the number of spots.
        """
        ...

    def stripe_transactions(self, day: date) -> Iterator[Transaction]:
        """Every transaction of a UTC day that has a side at Stripe, of all drivers. Eventually consistent."""
        ...

    def due(self, step: Step, now: datetime) -> Iterator[list[DueItem]]:
        """What has this as its next step and whose time has come: the step says of which kind.

        In batches, none of them empty, each with the longest due first, and the longest due of all in the first one.
        Reads a batch when it is asked for. Eventually consistent: check each item again after loading it.
        """
        ...

    def blockers_by_health(self) -> Counter[Health]:
        """How many blockers there are in each health. Eventually consistent."""
        ...

    def commit(self, *saves: Aggregate, unchanged: Sequence[Aggregate] = ()) -> None:
        """Write all of `saves` or nothing, if each, and each of `unchanged`, still has the version that was read.

        Raises Conflict if one has not, Busy if the store is throttled, StoreUnavailable if it did not answer. A stored
        item's version is one higher.
        """
        ...

    def forget(self, item: Erasable) -> None:
        """Delete it, if it still is what was read; one that has changed since stays, one that is gone is fine."""
        ...


@dataclass(frozen=True, slots=True)
class Intent:
    """A PaymentIntent as Stripe shows it now. `decline_code` says why the last try failed (None: it did not)."""

    intent_id: str
    status: str
    amount_minor: int
    amount_received_minor: int
    currency: str
    client_secret: str
    decline_code: str | None
    user_id: str | None
    payment_id: str | None


@dataclass(frozen=True, slots=True)
class CardRefund:
    """A refund as Stripe shows it now. The last three are ours; None where somebody else made it."""

    stripe_id: str
    status: str
    amount_minor: int
    intent_id: str | None
    user_id: str | None
    payment_id: str | None
    """The payment or withdrawal that holds the refund."""
    refund_id: str | None


@dataclass(frozen=True, slots=True)
class CardDispute:
    """A dispute as Stripe shows it now."""

    stripe_id: str
    status: str
    amount_minor: int
    intent_id: str | None


@dataclass(frozen=True, slots=True)
class CardSetup:
    """A SetupIntent as Stripe shows it now: whose card is to be saved, and once that succeeded the card."""

    setup_id: str
    status: str
    client_secret: str
    customer_id: str | None
    user_id: str | None
    payment_method: PaymentMethod | None


class CardError(Exception):
    """Stripe could not be asked, or its answer makes no sense to us. Whether it acted is unknown: ask again."""


class RefundRefused(Exception):
    """Stripe understood, and made no refund; the text is its code. Asking again may help later, or never."""


class CardGateway(Protocol):
    """Stripe. Each call raises CardError; a declined card is an answer, not an error."""

    def create_customer(self, user_id: UserId) -> str:
        """The customer of the driver; the same driver gets the same one for a day at least."""
        ...

    def create_setup(self, customer_id: str, user_id: UserId, idempotency_key: str) -> CardSetup:
        """A SetupIntent with which the app saves a card for later, off-session use; the same key, the same one."""
        ...

    def setup(self, setup_id: str, now: datetime) -> CardSetup:
        """The SetupIntent as it is now; a card in it counts as added `now`."""
        ...

    def detach(self, payment_method_id: str) -> None:
        """Forget a saved card; one that is gone is fine."""
        ...

    def delete_customer(self, customer_id: str) -> None:
        """Forget a customer with all saved cards; one that is gone is fine. What was charged stays."""
        ...

    def create_intent(self, payment: Payment) -> Intent:
        """A PaymentIntent for the payment, not confirmed yet; the same payment always gets the same one.

        It has the payment's customer and saved card, where there is one.
        """
        ...

    def confirm_intent(self, payment: Payment, intent_id: str, *, off_session: bool) -> Intent:
        """Charge the payment's saved card; asking twice charges once. `off_session`: the driver is not there.

        One that is not to be confirmed any more is answered as it is.
        """
        ...

    def cancel_intent(self, intent_id: str) -> Intent:
        """Cancel the PaymentIntent. One that cannot be cancelled any more is answered as it is."""
        ...

    def intent(self, intent_id: str) -> Intent:
        """The PaymentIntent as it is now."""
        ...

    def create_refund(self, holder: Payment, refund: Refund) -> CardRefund:
        """Give money back to the card of the refund's intent; the same refund is made once. Raises RefundRefused."""
        ...

    def refund(self, stripe_id: str) -> CardRefund:
        """The refund as it is now."""
        ...

    def refunds_of(self, intent_id: str) -> list[CardRefund]:
        """All refunds of a PaymentIntent, the newest first."""
        ...

    def dispute(self, stripe_id: str) -> CardDispute:
        """The dispute as it is now."""
        ...

    def intents_between(self, since: datetime, until: datetime) -> Iterator[Intent]:
        """Every PaymentIntent that was created in [since, until), to the second."""
        ...

    def refunds_between(self, since: datetime, until: datetime) -> Iterator[CardRefund]:
        """Every refund that was created in [since, until), to the second."""
        ...

    def disputes_between(self, since: datetime, until: datetime) -> Iterator[CardDispute]:
        """Every dispute that was created in [since, until), to the second."""
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

    def issue(self, blocker_id: BlockerId) -> Certificate:
        """Make the thing if it is new, and give it one more certificate."""
        ...

    def keep_only(self, blocker_id: BlockerId, certificate_id: str) -> None:
        """Cut off every certificate of the thing but this one."""
        ...

    def cut_off(self, blocker_id: BlockerId) -> bool:
        """Cut off every certificate of the thing, and end its connection; False if that could not be ended at once."""
        ...


class LoginsUnavailable(Exception):
    """The user pool could not be asked, or did not answer. Whether it acted is unknown: ask again."""


class Logins(Protocol):
    """The drivers' log-ins: the Cognito user pool, the only place that knows an e-mail address."""

    def delete(self, user_id: UserId) -> None:
        """Delete a driver's log-in; one that is gone is fine. Raises LoginsUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class PushMessage:
    """A notice as a phone shows it. `ttl` is how long it helps (None: as long as it takes), from its writing on."""

    notification_id: NotificationId
    title: str
    text: str
    thread: str
    """What the phone shows together."""
    topic: Topic
    urgent: bool
    ttl: timedelta | None
    data: Mapping[str, str]
    """For the app: the notice's facts, its id and kind, and the deep link."""


class EndpointGone(Exception):
    """The push endpoint is disabled or deleted: the app was removed or the token rotated."""


class EntryCodes(Protocol):
    """What a blocker and we share, so that it can let a driver in without a network."""

    def secret_of(self, blocker_id: BlockerId) -> str:
        """What its device keeps, to check codes by: handed out with its certificate, and never stored here."""
        ...

    def code(self, blocker_id: BlockerId, reservation_id: ReservationId, step: int) -> str:
        """The digits that open this blocker for this reservation in this time step."""
        ...


class Push(Protocol):
    """SNS mobile push."""

    def register(self, device_id: str, platform: Platform, token: str) -> str | None:
        """The endpoint of a device; None where the stack has no credentials for the platform."""
        ...

    def remove(self, endpoint: str) -> None:
        """Delete an endpoint; one that is gone is fine."""
        ...

    def publish(self, endpoint: str, platform: Platform, message: PushMessage) -> None:
        """Knock. Raises EndpointGone."""
        ...
