"""A reservation and its extensions: the states, how they move, and which timed step comes next."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from parking.domain.calendar import Calendar, Claim
from parking.domain.due import Due, Step
from parking.domain.errors import (
    InvalidField,
    NotPaid,
    OutsideArrivalWindow,
    WrongState,
)
from parking.domain.evidence import NOTHING_TOLD, Log
from parking.domain.ids import BlockerId, ExtensionId, PaymentId, ReservationId, SpotId, UserId
from parking.domain.spot import Spot
from parking.domain.tariff import OverstayTerms, Quote
from parking.domain.time import Interval

HOLD = timedelta(minutes=10)
ARRIVAL_LEAD = timedelta(minutes=15)  # arrival is possible, and the blocker is raised, this long before the start
TELL_BEFORE_END = timedelta(minutes=30)
TELL_TAKEN_BEFORE_END = timedelta(minutes=10)
RECHECK = timedelta(minutes=1)
GUARD_TIME = timedelta(minutes=2)  # one command's lifetime: what a blocker has to rise in, once a stay is its own
LONGEST_STAY = timedelta(days=7)
FARTHEST_START = timedelta(days=90)
LOWER_WITHIN = timedelta(seconds=30)  # an arrival that takes longer is an operator's business
CLOCK_SKEW = timedelta(minutes=1)  # a phone's "now" may be this old


class ReservationStatus(StrEnum):
    """The states of the design, section 4."""

    HELD = "HELD"
    CONFIRMED = "CONFIRMED"
    ACTIVE = "ACTIVE"
    COMPLETED = "COMPLETED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"
    NO_SHOW = "NO_SHOW"


class EndReason(StrEnum):
    """Why a reservation ended."""

    HOLD_EXPIRED = "HOLD_EXPIRED"
    CANCELLED_BY_DRIVER = "CANCELLED_BY_DRIVER"
    BLOCKER_FAILED = "BLOCKER_FAILED"
    SPOT_OCCUPIED = "SPOT_OCCUPIED"
    SPOT_OUT_OF_SERVICE = "SPOT_OUT_OF_SERVICE"
    DEPARTED = "DEPARTED"
    TIME_ENDED = "TIME_ENDED"
    NEVER_ARRIVED = "NEVER_ARRIVED"


class ExtensionStatus(StrEnum):
    """HELD → CONFIRMED | EXPIRED."""

    HELD = "HELD"
    CONFIRMED = "CONFIRMED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """More time for a stay: held, paid, and only then part of it."""

    extension_id: ExtensionId
    previous_ends_at: datetime
    ends_at: datetime
    quote: Quote
    status: ExtensionStatus
    hold_expires_at: datetime
    payment_id: PaymentId | None = None
    card_payment_id: PaymentId | None = None
    """The last card payment that was tried for it."""
    fingerprint: str
    created_at: datetime

    @property
    def first_answer(self) -> "Extension":
        """As it was when it was created."""
        return replace(self, status=ExtensionStatus.HELD, payment_id=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overstay:
    """The time after the end that the car stayed, and what it costs. `payment_id` None: not paid yet."""

    quote: Quote
    payment_id: PaymentId | None = None
    card_payment_id: PaymentId | None = None
    """The last card payment that was tried for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A stay that goes on at another spot, because its own was occupied: since when, and where it was booked."""

    at: datetime
    booked_spot_id: SpotId
    booked_spot_name: str
    booked_time_zone: str
    left_blocker_id: BlockerId
    """The blocker that it left last: it may still stand for this stay, and must not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A driver's stay at a spot, from the wish to the end."""

    user_id: UserId
    reservation_id: ReservationId
    spot_id: SpotId
    spot_name: str
    time_zone: str
    blocker_id: BlockerId
    turnover_minutes: int
    vehicle_plate: str | None
    starts_at: datetime
    ends_at: datetime
    booked_ends_at: datetime
    quote: Quote
    overstay_terms: OverstayTerms
    tax_included: bool = True
    status: ReservationStatus
    reason: EndReason | None = None
    hold_expires_at: datetime
    payment_id: PaymentId | None = None
    card_payment_id: PaymentId | None = None
    """The last card payment that was tried for it."""
    extensions: tuple[Extension, ...] = ()
    guard_due_at: datetime | None = None
    """When to look again whether the blocker does its part; None: it does, or need not."""
    guard_by: datetime | None = None
    """By when the blocker has to guard it, else the driver is told; None: not paid yet."""
    guard_failed_at: datetime | None = None
    """When the driver was told that the blocker does not guard it, and may have the money back since."""
    unserved_at: datetime | None = None
    """When the driver was told that the spot is out of service, and may have the money back since."""
    told_end: datetime | None = None
    """The end that the last notice spoke of."""
    tell_taken_at: datetime | None = None
    """When to tell once more that somebody has the spot next; None: nobody had when the end was told."""
    told_taken: datetime | None = None
    """The end of which the driver was told, close to it, that somebody has the spot next."""
    finish_due_at: datetime | None = None
    """When to look again whether the car has left; None: at the end."""
    arrival_requested_at: datetime | None = None
    arrival_failed_at: datetime | None = None
    """When operators were told that the blocker did not go down for the arrival; all money is back for the asking."""
    arrived_at: datetime | None = None
    overstayed_since: datetime | None = None
    told_occupied_at: datetime | None = None
    """When the driver was told that the car of the stay before still stands on the spot."""
    displaced_at: datetime | None = None
    """Since when the driver may have another spot or the money back; None: the spot is theirs."""
    moved: Moved | None = None
    ended_at: datetime | None = None
    overstay: Overstay | None = None
    evidence: Log = NOTHING_TOLD
    """What its blocker was told for it, and said; the device's word counts also when the stay is over."""
    fingerprint: str
    created_at: datetime
    version: int = 0

    @property
    def key(self) -> tuple[str, ...]:
        """Its address in the store."""
        return (self.user_id, self.reservation_id)

    @property
    def stay(self) -> Interval:
        """From the start to the end that is paid."""
        return Interval(self.starts_at, self.ends_at)

    @property
    def open_extension(self) -> Extension | None:
        """The extension that waits for its payment."""
        return next((e for e in self.extensions if e.status is ExtensionStatus.HELD), None)

    @property
    def claim(self) -> Claim | None:
        """What the calendar shows of it: the stay, and an open extension's time too; None where it gave the spot back.

        A stay that ended early keeps the time that it used, so that the turnover after it counts from the departure.
        """
        match self.status:
            case ReservationStatus.EXPIRED | ReservationStatus.CANCELLED:
                return None
            case ReservationStatus.COMPLETED if self.ended_at and self.ended_at < self.ends_at:
                ends_at = self.ended_at
            case _:
                ends_at = self.open_extension.ends_at if self.open_extension else self.ends_at
        starts_at = max(self.starts_at, self.moved.at) if self.moved else self.starts_at
        if ends_at <= starts_at:
            return None
        return Claim.of(self.user_id, self.reservation_id, Interval(starts_at, ends_at), self.turnover_minutes)

    @property
    def first_answer(self) -> "Reservation":
        """As it was when it was created: what a repeated request is answered with."""
        moved = self.moved
        return replace(
            self,
            spot_id=moved.booked_spot_id if moved else self.spot_id,
            spot_name=moved.booked_spot_name if moved else self.spot_name,
            time_zone=moved.booked_time_zone if moved else self.time_zone,
            status=ReservationStatus.HELD,
            reason=None,
            ends_at=self.booked_ends_at,
            payment_id=None,
            card_payment_id=None,
            extensions=(),
            guard_by=None,
            guard_failed_at=None,
            unserved_at=None,
            arrival_requested_at=None,
            arrival_failed_at=None,
            arrived_at=None,
            overstayed_since=None,
            displaced_at=None,
            moved=None,
            ended_at=None,
            overstay=None,
            evidence=NOTHING_TOLD,
        )

    @property
    def payment_ids(self) -> tuple[PaymentId, ...]:
        """The payments that made it and its extensions, and that settled its overstay."""
        children = (extension.payment_id for extension in self.extensions)
        overstay = self.overstay.payment_id if self.overstay else None
        return tuple(payment_id for payment_id in (self.payment_id, *children, overstay) if payment_id)

    @property
    def awaited_payment_ids(self) -> frozenset[PaymentId]:
        """The card payments that it still waits for."""
        tried = [self.card_payment_id] if self.status is ReservationStatus.HELD else []
        if self.open_extension:
            tried.append(self.open_extension.card_payment_id)
        if self.overstay and self.overstay.payment_id is None:
            tried.append(self.overstay.card_payment_id)
        return frozenset(payment_id for payment_id in tried if payment_id)

    @property
    def let_down(self) -> bool:
        """True if its driver was told, by our fault, that the spot cannot be relied on."""
        return bool(self.displaced_at or self.guard_failed_at or self.unserved_at)

    @property
    def guarded_by_blocker(self) -> bool:
        """True while the spot's blocker has something to do for it."""
        return self.status in (ReservationStatus.CONFIRMED, ReservationStatus.ACTIVE)

    def is_held(self, now: datetime) -> bool:
        """True for a hold that can still be paid."""
        return self.status is ReservationStatus.HELD and now < self.hold_expires_at

    @property
    def due(self) -> Due | None:
        """The earliest outstanding step; None where nothing is outstanding."""
        match self.status:
            case ReservationStatus.HELD:
                return Due(self.hold_expires_at, Step.RELEASE_HOLD)
            case ReservationStatus.CONFIRMED | ReservationStatus.ACTIVE:
                extension = self.open_extension
                if extension:  # its hold lapses at the end at the latest: the stay finishes after that
                    steps = [Due(extension.hold_expires_at, Step.RELEASE_HOLD)]
                else:
                    steps = [Due(self.finish_due_at or self.ends_at, Step.FINISH)]
                if self.told_end != self.ends_at:
                    steps.append(Due(self.ends_at - TELL_BEFORE_END, Step.TELL_END))
                elif self.tell_taken_at:
                    steps.append(Due(self.tell_taken_at, Step.TELL_END))
                if self.guard_due_at:
                    steps.append(Due(self.guard_due_at, Step.GUARD))
                return min(steps, key=_urgency)
            case _:
                return None

    def extension(self, extension_id: ExtensionId) -> Extension | None:
        """One of its extensions."""
        return next((e for e in self.extensions if e.extension_id == extension_id), None)


def _urgency(due: Due) -> tuple[datetime, Step]:
    """A lapsed hold keeps others from the spot, so what falls due in the same minute waits behind it."""
    return due.at - RECHECK if due.step is Step.RELEASE_HOLD else due.at, due.step


def check_stay(spot: Spot, stay: Interval, now: datetime) -> None:
    """Raises InvalidField if nobody could book this stay here, whatever the calendar says."""
    if stay.starts_at < now - CLOCK_SKEW:
        raise InvalidField("starts_at", "is in the past")
    if stay.starts_at > now + FARTHEST_START:
        raise InvalidField("starts_at", "is more than 90 days ahead")
    if stay.duration < spot.tariff.minimum:
        raise InvalidField("ends_at", f"a stay here lasts at least {spot.tariff.minimum_minutes} minutes")
    if stay.duration > LONGEST_STAY:
        raise InvalidField("ends_at", "a stay lasts at most 7 days")


def showing(calendar: Calendar, reservation: Reservation) -> Calendar:
    """The calendar with just what the reservation claims now. Raises SpotUnavailable if that overlaps another."""
    claim = reservation.claim
    return calendar.with_claim(claim) if claim else calendar.without(reservation.reservation_id)


def request_arrival(reservation: Reservation, now: datetime) -> Reservation:
    """The owner stands before the spot, and so takes it, even if another one was offered. Asking again changes nothing.

    Raises NotPaid, OutsideArrivalWindow or WrongState.
    """
    if reservation.status is ReservationStatus.HELD:
        raise NotPaid("Pay first.")
    if reservation.status not in (ReservationStatus.CONFIRMED, ReservationStatus.ACTIVE):
        raise WrongState(f"The reservation is {reservation.status}.", reservation_status=reservation.status)
    if not reservation.starts_at - ARRIVAL_LEAD <= now < reservation.ends_at:
        raise OutsideArrivalWindow(
            "Arrival is possible from 15 minutes before the start until the end.",
            opens_at=reservation.starts_at - ARRIVAL_LEAD,
            closes_at=reservation.ends_at,
        )
    if reservation.arrival_requested_at:
        return reservation
    return replace(reservation, arrival_requested_at=now, guard_due_at=now + LOWER_WITHIN, displaced_at=None)


def arrive(reservation: Reservation, at: datetime) -> Reservation:
    """CONFIRMED → ACTIVE, because the blocker reports LOWERED after the owner's arrival."""
    if reservation.status is not ReservationStatus.CONFIRMED or reservation.arrival_requested_at is None:
        return reservation
    return replace(reservation, status=ReservationStatus.ACTIVE, arrived_at=at, guard_due_at=None)


def without_open_extension(reservation: Reservation) -> Reservation:
    """The reservation that does not wait for more time any longer."""
    waiting = reservation.open_extension
    return with_extension(reservation, replace(waiting, status=ExtensionStatus.EXPIRED)) if waiting else reservation


def with_extension(reservation: Reservation, changed: Extension) -> Reservation:
    """The reservation with one of its extensions replaced."""
    return replace(
        reservation,
        extensions=tuple(changed if e.extension_id == changed.extension_id else e for e in reservation.extensions),
    )
