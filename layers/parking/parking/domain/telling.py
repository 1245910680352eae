"""How each kind of notice is told at a phone: whether it may be muted, how much of a hurry it is, until when it helps.

A new kind needs its line here. It is mutable only if it confirms the driver's own act, or the driver loses nothing by
reading it later: money that moves without the driver's act, a spot that is not theirs (any more), and somebody else
who waits for it are always told.
"""

from dataclasses import dataclass
from enum import StrEnum

from parking.domain.notification import NotificationKind


class Topic(StrEnum):
    """What belongs together. FCM keeps at most four collapse keys for a phone that is offline: no more than that."""

    BOOKING = "BOOKING"
    STAY = "STAY"
    MONEY = "MONEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How it is told. `urgent` breaks through a phone's focus; `useful_until` names the fact after which it is idle."""

    topic: Topic
    mutable: bool = False
    urgent: bool = False
    useful_until: str | None = None


MANNERS: dict[NotificationKind, Manner] = {
    NotificationKind.PAYMENT_SUCCEEDED: Manner(topic=Topic.MONEY, mutable=True),
    NotificationKind.DEPOSIT_SUCCEEDED: Manner(topic=Topic.MONEY, mutable=True),
    NotificationKind.LATE_PAYMENT_REFUNDED: Manner(topic=Topic.MONEY),
    NotificationKind.REFUNDED_TO_WALLET: Manner(topic=Topic.MONEY),
    NotificationKind.OVERSTAY_CHARGED: Manner(topic=Topic.MONEY),
    NotificationKind.OVERSTAY_DEBT: Manner(topic=Topic.MONEY),
    NotificationKind.RESERVATION_EXPIRED: Manner(topic=Topic.BOOKING, urgent=True),
    NotificationKind.RESERVATION_CANCELLED: Manner(topic=Topic.BOOKING, urgent=True),
    NotificationKind.RESERVATION_COMPLETED: Manner(topic=Topic.STAY, mutable=True),
    NotificationKind.RESERVATION_NO_SHOW: Manner(topic=Topic.STAY, mutable=True),
    NotificationKind.STAY_ENDING_EXTENDABLE: Manner(
        topic=Topic.STAY, mutable=True, urgent=True, useful_until="ends_at"
    ),
    NotificationKind.STAY_ENDING_LONGEST: Manner(topic=Topic.STAY, mutable=True, urgent=True, useful_until="ends_at"),
    NotificationKind.STAY_ENDING_SPOT_TAKEN: Manner(topic=Topic.STAY, urgent=True, useful_until="ends_at"),
    NotificationKind.SPOT_TAKEN_NEXT: Manner(topic=Topic.STAY, urgent=True, useful_until="ends_at"),
    NotificationKind.OVERSTAY_WARNING: Manner(topic=Topic.STAY, urgent=True, useful_until="grace_ends_at"),
    NotificationKind.OVERSTAY_METERED: Manner(topic=Topic.STAY, urgent=True),
    NotificationKind.SPOT_STILL_OCCUPIED: Manner(topic=Topic.BOOKING, urgent=True, useful_until="offer_at"),
    NotificationKind.SPOT_OCCUPIED_MOVE_OFFERED: Manner(topic=Topic.BOOKING, urgent=True),
    NotificationKind.SPOT_OCCUPIED_REFUND_OFFERED: Manner(topic=Topic.BOOKING, urgent=True),
    NotificationKind.CREDIT_GRANTED: Manner(topic=Topic.MONEY),
    NotificationKind.GUARD_FAILED: Manner(topic=Topic.BOOKING, urgent=True, useful_until="ends_at"),
    NotificationKind.SPOT_OUT_OF_SERVICE: Manner(topic=Topic.BOOKING, urgent=True, useful_until="given_up_at"),
}

MUTABLE = frozenset(kind for kind, manner in MANNERS.items() if manner.mutable)
