"""What a driver is told, once of each thing. The inbox is the truth; push only knocks."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from parking.domain.ids import DeviceId, NotificationId, UserId, timed_id


class NotificationKind(StrEnum):
    """What the notice speaks of."""

    PAYMENT_SUCCEEDED = "PAYMENT_SUCCEEDED"
    DEPOSIT_SUCCEEDED = "DEPOSIT_SUCCEEDED"
    LATE_PAYMENT_REFUNDED = "LATE_PAYMENT_REFUNDED"
    REFUNDED_TO_WALLET = "REFUNDED_TO_WALLET"
    OVERSTAY_CHARGED = "OVERSTAY_CHARGED"
    OVERSTAY_DEBT = "OVERSTAY_DEBT"
    RESERVATION_EXPIRED = "RESERVATION_EXPIRED"
    RESERVATION_CANCELLED = "RESERVATION_CANCELLED"
    RESERVATION_COMPLETED = "RESERVATION_COMPLETED"
    RESERVATION_NO_SHOW = "RESERVATION_NO_SHOW"
    STAY_ENDING_EXTENDABLE = "STAY_ENDING_EXTENDABLE"
    STAY_ENDING_SPOT_TAKEN = "STAY_ENDING_SPOT_TAKEN"
    STAY_ENDING_LONGEST = "STAY_ENDING_LONGEST"
    SPOT_TAKEN_NEXT = "SPOT_TAKEN_NEXT"
    OVERSTAY_WARNING = "OVERSTAY_WARNING"
    OVERSTAY_METERED = "OVERSTAY_METERED"
    SPOT_STILL_OCCUPIED = "SPOT_STILL_OCCUPIED"
    SPOT_OCCUPIED_MOVE_OFFERED = "SPOT_OCCUPIED_MOVE_OFFERED"
    SPOT_OCCUPIED_REFUND_OFFERED = "SPOT_OCCUPIED_REFUND_OFFERED"
    CREDIT_GRANTED = "CREDIT_GRANTED"
    GUARD_FAILED = "GUARD_FAILED"
    SPOT_OUT_OF_SERVICE = "SPOT_OUT_OF_SERVICE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One entry of a driver's inbox: what happened, as facts that are frozen when they are written.

    Its words are made of them where it is shown, in the reader's language (services/wording). `data` is spelt as the
    API spells it: an amount in minor units beside its `currency`, instants in UTC, the `time_zone` of the spot.
    """

    user_id: UserId
    notification_id: NotificationId
    kind: NotificationKind
    data: dict[str, str]
    created_at: datetime
    read_at: datetime | None = None
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.user_id, self.notification_id)

    def read(self, now: datetime) -> "Notification":
        """The notice once it was read; the first time counts."""
        return self if self.read_at else replace(self, read_at=now)


def notice(
    kind: NotificationKind,
    *,
    user_id: UserId,
    speaks_of: tuple[str, ...],
    about: datetime,
    data: dict[str, str],
    now: datetime,
) -> Notification:
    """A notice whose id is derived from what it speaks of, so that it exists once.

    `about` is an instant that belongs to the thing itself (never `now`): it makes the inbox sort by time.
    """
    return Notification(
        user_id=user_id,
        notification_id=NotificationId(timed_id("ntf", about, *speaks_of)),
        kind=kind,
        data=data,
        created_at=now,
    )


class Platform(StrEnum):
    """Whose push service reaches the device."""

    APNS = "APNS"
    FCM = "FCM"


@dataclass(frozen=True, slots=True, kw_only=True)
class PushDevice:
    """A phone that wants to be told, in the language that it registered with.

    `endpoint` is None where the stack has no credentials for its platform.
    """

    user_id: UserId
    device_id: DeviceId
    platform: Platform
    token: str
    locale: str | None
    endpoint: str | None
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.user_id, self.device_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOwner:
    """Who registered a push endpoint last: the only one whose notices go there.

    Push services give a token to a phone, not to a driver: whoever shows the token has the phone in hand.
    """

    endpoint: str
    user_id: UserId
    device_id: DeviceId
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.endpoint,)

    def is_of(self, device: PushDevice) -> bool:
        """True if this is the driver's device whose endpoint it is."""
        return (self.user_id, self.device_id) == (device.user_id, device.device_id)
