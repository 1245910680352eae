"""Items of the Reservations table."""

import zlib

from pynamodb.attributes import ListAttribute, UnicodeAttribute

from parking.adapters.dynamodb.attributes import (
    EnumAttribute,
    InstantAttribute,
    IntegerAttribute,
    TypedMap,
    VersionedModel,
)
from parking.domain.ids import BlockerId, ExtensionId, PaymentId, ReservationId, SpotId, UserId
from parking.domain.reservation import EndReason, Extension, ExtensionStatus, Reservation, ReservationStatus, Step
from parking.domain.tariff import PriceLine, Quote

DUE = "due"
BY_CREATED = "by_created"
DUE_SHARDS = 4  # one index partition takes 1000 writes a second; every schedule reads all shards of its step


class PriceLineMap(TypedMap):
    """One line of a quote."""

    text = UnicodeAttribute()
    amount_minor = IntegerAttribute()


class QuoteMap(TypedMap):
    """A quote inside its reservation or extension."""

    lines: ListAttribute[PriceLineMap] = ListAttribute(of=PriceLineMap)
    amount_minor = IntegerAttribute()
    currency = UnicodeAttribute()
    tariff_version = IntegerAttribute()


class ExtensionMap(TypedMap):
    """An extension inside its reservation."""

    extension_id = UnicodeAttribute()
    previous_ends_at = InstantAttribute()
    ends_at = InstantAttribute()
    quote = QuoteMap()
    status = EnumAttribute(ExtensionStatus)
    hold_expires_at = InstantAttribute()
    payment_id = UnicodeAttribute(null=True)
    fingerprint = UnicodeAttribute()
    created_at = InstantAttribute()


class ReservationModel(VersionedModel):
    """`due_shard` and `due_at` are derived from the next step, and absent where nothing is outstanding."""

    user_id = UnicodeAttribute(hash_key=True)
    reservation_id = UnicodeAttribute(range_key=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    spot_id = UnicodeAttribute()
    spot_name = UnicodeAttribute()
    time_zone = UnicodeAttribute()
    blocker_id = UnicodeAttribute()
    turnover_minutes = IntegerAttribute()
    vehicle_plate = UnicodeAttribute(null=True)
    starts_at = InstantAttribute()
    ends_at = InstantAttribute()
    booked_ends_at = InstantAttribute()
    quote = QuoteMap()
    status = EnumAttribute(ReservationStatus)
    reason = EnumAttribute(EndReason, null=True)
    hold_expires_at = InstantAttribute()
    payment_id = UnicodeAttribute(null=True)
    extensions: ListAttribute[ExtensionMap] = ListAttribute(of=ExtensionMap, null=True)
    guard_due_at = InstantAttribute(null=True)
    told_end = InstantAttribute(null=True)
    finish_due_at = InstantAttribute(null=True)
    arrival_requested_at = InstantAttribute(null=True)
    arrived_at = InstantAttribute(null=True)
    overstayed_since = InstantAttribute(null=True)
    ended_at = InstantAttribute(null=True)
    fingerprint = UnicodeAttribute()
    created_at = InstantAttribute()


def due_shards(step: Step) -> list[str]:
    """Every hash key of the index `due` under which a step may stand."""
    return [f"{step}#{shard}" for shard in range(DUE_SHARDS)]


def item_of(reservation: Reservation) -> ReservationModel:
    """The reservation as it is stored."""
    due = reservation.due
    return ReservationModel(
        user_id=reservation.user_id,
        reservation_id=reservation.reservation_id,
        due_shard=due_shards(due.step)[_shard_of(reservation.reservation_id)] if due else None,
        due_at=due.at if due else None,
        spot_id=reservation.spot_id,
        spot_name=reservation.spot_name,
        time_zone=reservation.time_zone,
        blocker_id=reservation.blocker_id,
        turnover_minutes=reservation.turnover_minutes,
        vehicle_plate=reservation.vehicle_plate,
        starts_at=reservation.starts_at,
        ends_at=reservation.ends_at,
        booked_ends_at=reservation.booked_ends_at,
        quote=_quote_map(reservation.quote),
        status=reservation.status,
        reason=reservation.reason,
        hold_expires_at=reservation.hold_expires_at,
        payment_id=reservation.payment_id,
        extensions=[_extension_map(extension) for extension in reservation.extensions] or None,
        guard_due_at=reservation.guard_due_at,
        told_end=reservation.told_end,
        finish_due_at=reservation.finish_due_at,
        arrival_requested_at=reservation.arrival_requested_at,
        arrived_at=reservation.arrived_at,
        overstayed_since=reservation.overstayed_since,
        ended_at=reservation.ended_at,
        fingerprint=reservation.fingerprint,
        created_at=reservation.created_at,
        version=reservation.version,
    )


def reservation_of(item: ReservationModel) -> Reservation:
    """The stored reservation."""
    return Reservation(
        user_id=UserId(item.user_id),
        reservation_id=ReservationId(item.reservation_id),
        spot_id=SpotId(item.spot_id),
        spot_name=item.spot_name,
        time_zone=item.time_zone,
        blocker_id=BlockerId(item.blocker_id),
        turnover_minutes=item.turnover_minutes,
        vehicle_plate=item.vehicle_plate,
        starts_at=item.starts_at,
        ends_at=item.ends_at,
        booked_ends_at=item.booked_ends_at,
        quote=_quote_of(item.quote),
        status=item.status,
        reason=item.reason,
        hold_expires_at=item.hold_expires_at,
        payment_id=PaymentId(item.payment_id) if item.payment_id else None,
        extensions=tuple(_extension_of(extension) for extension in item.extensions or ()),
        guard_due_at=item.guard_due_at,
        told_end=item.told_end,
        finish_due_at=item.finish_due_at,
        arrival_requested_at=item.arrival_requested_at,
        arrived_at=item.arrived_at,
        overstayed_since=item.overstayed_since,
        ended_at=item.ended_at,
        fingerprint=item.fingerprint,
        created_at=item.created_at,
        version=item.version,
    )


def _shard_of(reservation_id: str) -> int:
    return zlib.crc32(reservation_id.encode()) % DUE_SHARDS


def _quote_map(quote: Quote) -> QuoteMap:
    return QuoteMap(
        lines=[PriceLineMap(text=line.text, amount_minor=line.amount_minor) for line in quote.lines],
        amount_minor=quote.amount_minor,
        currency=quote.currency,
        tariff_version=quote.tariff_version,
    )


def _quote_of(item: QuoteMap) -> Quote:
    return Quote(
        lines=tuple(PriceLine(line.text, line.amount_minor) for line in item.lines),
        amount_minor=item.amount_minor,
        currency=item.currency,
        tariff_version=item.tariff_version,
    )


def _extension_map(extension: Extension) -> ExtensionMap:
    return ExtensionMap(
        extension_id=extension.extension_id,
        previous_ends_at=extension.previous_ends_at,
        ends_at=extension.ends_at,
        quote=_quote_map(extension.quote),
        status=extension.status,
        hold_expires_at=extension.hold_expires_at,
        payment_id=extension.payment_id,
        fingerprint=extension.fingerprint,
        created_at=extension.created_at,
    )


def _extension_of(item: ExtensionMap) -> Extension:
    return Extension(
        extension_id=ExtensionId(item.extension_id),
        previous_ends_at=item.previous_ends_at,
        ends_at=item.ends_at,
        quote=_quote_of(item.quote),
        status=item.status,
        hold_expires_at=item.hold_expires_at,
        payment_id=PaymentId(item.payment_id) if item.payment_id else None,
        fingerprint=item.fingerprint,
        created_at=item.created_at,
    )
