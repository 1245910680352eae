"""What the app sends and gets about a stay."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictInt

from parking.domain.blocker import (
    Blocker,
    CommandStatus,
    Connectivity,
    Occupancy,
    Position,
    RejectReason,
    Result,
)
from parking.domain.evidence import Evidence
from parking.domain.payment import Method, PaymentStatus, Purpose
from parking.domain.receipt import Receipt
from parking.domain.reservation import EndReason, Extension, ExtensionStatus, Reservation, ReservationStatus
from parking.forms import In
from parking.http import WHOLE, IdField, Instant, Out
from parking.schemas import PriceOut
from parking.services.search import FoundSpot


class ReserveIn(In):
    """A wish for a stay. Without `starts_at` it begins now."""

    spot_id: IdField
    ends_at: Instant
    starts_at: Instant | None = None
    quoted_amount: Annotated[StrictInt | None, Field(ge=0, description="The price that the driver saw"), WHOLE] = None
    vehicle_plate: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9 -]{1,16}$")] = None


class ExtendIn(In):
    """A wish for a later end."""

    ends_at: Instant


class MoveIn(In):
    """One of the alternatives."""

    spot_id: IdField


class ExtensionOut(Out):
    """More time for a stay; the end moves when it is paid."""

    extension_id: str
    reservation_id: str
    status: ExtensionStatus
    previous_ends_at: Instant
    ends_at: Instant
    price: PriceOut
    hold_expires_at: Instant
    payment_id: str | None
    created_at: Instant

    @classmethod
    def of(cls, reservation_id: str, extension: Extension) -> "ExtensionOut":
        """The extension as the app shows it."""
        return cls(
            extension_id=extension.extension_id,
            reservation_id=reservation_id,
            status=extension.status,
            previous_ends_at=extension.previous_ends_at,
            ends_at=extension.ends_at,
            price=PriceOut.of(extension.quote),
            hold_expires_at=extension.hold_expires_at,
            payment_id=extension.payment_id,
            created_at=extension.created_at,
        )


class GuardOut(Out):
    """What the barrier does for this stay, by its last report."""

    blocker_id: str
    position: Position
    occupancy: Occupancy
    connectivity: Connectivity
    reported_at: Instant | None

    @classmethod
    def of(cls, blocker: Blocker, now: datetime) -> "GuardOut":
        """The blocker as it matters to the driver."""
        return cls(
            blocker_id=blocker.blocker_id,
            position=blocker.position,
            occupancy=blocker.occupancy(now),
            connectivity=blocker.connectivity,
            reported_at=blocker.report.received_at if blocker.report else None,
        )


class PaidOut(Out):
    """A payment that made the stay or an extension of it."""

    payment_id: str
    purpose: Purpose
    amount: int
    currency: str


class ReservationOut(Out):
    """A stay. `guard` is null where the barrier has nothing to do for it: it is over, or not paid yet.

    `displaced_at` is set while the car of the stay before occupies the spot, and the driver may have another one;
    `guard_failed_at` likewise where the barrier did not guard it in time, `unserved_at` where it is out of service.
    `arrival_failed_at` says that the barrier did not go down in half a minute: operators know, and a cancellation gives
    everything back.
    """

    reservation_id: str
    spot_id: str
    spot_name: str
    time_zone: str
    vehicle_plate: str | None
    status: ReservationStatus
    reason: EndReason | None
    starts_at: Instant
    ends_at: Instant
    hold_expires_at: Instant
    price: PriceOut
    extensions: list[ExtensionOut]
    payments: list[PaidOut]
    guard: GuardOut | None
    arrival_requested_at: Instant | None
    arrival_failed_at: Instant | None
    arrived_at: Instant | None
    overstayed_since: Instant | None
    displaced_at: Instant | None
    guard_failed_at: Instant | None
    unserved_at: Instant | None
    overstay_price: PriceOut | None
    ended_at: Instant | None
    created_at: Instant

    @classmethod
    def of(cls, reservation: Reservation, blocker: Blocker | None, now: datetime) -> "ReservationOut":
        """The reservation as the app shows it."""
        return cls(
            reservation_id=reservation.reservation_id,
            spot_id=reservation.spot_id,
            spot_name=reservation.spot_name,
            time_zone=reservation.time_zone,
            vehicle_plate=reservation.vehicle_plate,
            status=reservation.status,
            reason=reservation.reason,
            starts_at=reservation.starts_at,
            ends_at=reservation.ends_at,
            hold_expires_at=reservation.hold_expires_at,
            price=PriceOut.of(reservation.quote),
            extensions=[ExtensionOut.of(reservation.reservation_id, one) for one in reservation.extensions],
            payments=_paid(reservation),
            guard=GuardOut.of(blocker, now) if blocker and reservation.guarded_by_blocker else None,
            arrival_requested_at=reservation.arrival_requested_at,
            arrival_failed_at=reservation.arrival_failed_at,
            arrived_at=reservation.arrived_at,
            overstayed_since=reservation.overstayed_since,
            displaced_at=reservation.displaced_at,
            guard_failed_at=reservation.guard_failed_at,
            unserved_at=reservation.unserved_at,
            overstay_price=PriceOut.of(reservation.overstay.quote) if reservation.overstay else None,
            ended_at=reservation.ended_at,
            created_at=reservation.created_at,
        )


class ReservationsOut(Out):
    """A page of a driver's reservations, newest first."""

    items: list[ReservationOut]
    next_cursor: str | None


class AlternativeOut(Out):
    """Another spot that could take the stay now."""

    spot_id: str
    name: str
    address: str
    lat: float
    lon: float
    distance_m: int

    @classmethod
    def of(cls, found: FoundSpot) -> "AlternativeOut":
        """The spot, and how far it is from the occupied one."""
        return cls(
            spot_id=found.spot.spot_id,
            name=found.spot.name,
            address=found.spot.address,
            lat=found.spot.location.latitude,
            lon=found.spot.location.longitude,
            distance_m=round(found.distance_m),
        )


class AlternativesOut(Out):
    """At most three, the nearest first."""

    items: list[AlternativeOut]


class ExtensionOptionOut(Out):
    """Whether a stay can be longer, until when, and what the asked end costs."""

    extendable: bool
    latest_ends_at: Instant
    price: PriceOut | None


class OfflineCodeOut(Out):
    """Digits to type at the barrier, followed by Enter or #. From `expires_at` on, ask for another one."""

    code: str
    expires_at: Instant


class ReceiptLineOut(Out):
    """One line. `at` is null for what was sold, and the time of a correction: a refund."""

    text: str
    amount: int
    at: Instant | None


class ReceiptPaymentOut(Out):
    """Money of a stay, and what of it went back."""

    payment_id: str
    purpose: Purpose
    method: Method
    status: PaymentStatus
    amount: int
    refunded: int
    paid_at: Instant


class EvidenceOut(Out):
    """What the barrier was told for this stay, and when it answered."""

    command_id: str
    position: Position
    asked_at: Instant
    expires_at: Instant
    status: CommandStatus
    ended_at: Instant | None
    answer: Result | None
    reason: RejectReason | None
    reported_at: Instant | None
    late: bool

    @classmethod
    def of(cls, evidence: Evidence) -> "EvidenceOut":
        """The command as the app shows it."""
        return cls(
            command_id=evidence.command_id,
            position=evidence.position,
            asked_at=evidence.asked_at,
            expires_at=evidence.expires_at,
            status=evidence.status,
            ended_at=evidence.ended_at,
            answer=evidence.answer,
            reason=evidence.reason,
            reported_at=evidence.answered_at,
            late=evidence.late,
        )


class ReceiptOut(Out):
    """The stay once it is over. `owed_amount` is an overstay that is not paid yet."""

    reservation_id: str
    spot_id: str
    spot_name: str
    time_zone: str
    vehicle_plate: str | None
    status: ReservationStatus
    reason: EndReason
    starts_at: Instant
    ends_at: Instant
    arrived_at: Instant | None
    ended_at: Instant
    sealed_at: Instant
    lines: list[ReceiptLineOut]
    payments: list[ReceiptPaymentOut]
    blocker_evidence: list[EvidenceOut]
    blocker_evidence_left_out: int
    paid_amount: int
    refunded_amount: int
    owed_amount: int
    tax_included: bool
    currency: str

    @classmethod
    def of(cls, receipt: Receipt) -> "ReceiptOut":
        """The receipt as the app shows it."""
        stay = receipt.reservation
        return cls(
            reservation_id=stay.reservation_id,
            spot_id=stay.spot_id,
            spot_name=stay.spot_name,
            time_zone=stay.time_zone,
            vehicle_plate=stay.vehicle_plate,
            status=stay.status,
            reason=receipt.reason,
            starts_at=stay.starts_at,
            ends_at=stay.ends_at,
            arrived_at=stay.arrived_at,
            ended_at=receipt.sealed_at,
            sealed_at=receipt.sealed_at,
            lines=[ReceiptLineOut(text=one.text, amount=one.amount_minor, at=one.at) for one in receipt.lines],
            payments=[
                ReceiptPaymentOut(
                    payment_id=payment.payment_id,
                    purpose=payment.purpose,
                    method=payment.method,
                    status=payment.status,
                    amount=payment.amount_minor,
                    refunded=payment.refunded_minor,
                    paid_at=payment.created_at,
                )
                for payment in receipt.payments
            ],
            blocker_evidence=[EvidenceOut.of(one) for one in stay.evidence.entries],
            blocker_evidence_left_out=stay.evidence.left_out,
            paid_amount=receipt.paid_minor,
            refunded_amount=receipt.refunded_minor,
            owed_amount=receipt.owed_minor,
            tax_included=receipt.tax_included,
            currency=stay.quote.currency,
        )


def _paid(reservation: Reservation) -> list[PaidOut]:
    paid = [(reservation.payment_id, Purpose.RESERVATION, reservation.quote)]
    paid += [(one.payment_id, Purpose.EXTENSION, one.quote) for one in reservation.extensions]
    if reservation.overstay:
        paid.append((reservation.overstay.payment_id, Purpose.OVERSTAY, reservation.overstay.quote))
    return [
        PaidOut(payment_id=payment_id, purpose=purpose, amount=quote.amount_minor, currency=quote.currency)
        for payment_id, purpose, quote in paid
        if payment_id
    ]
