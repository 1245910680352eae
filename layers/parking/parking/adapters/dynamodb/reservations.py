"""Items of the Reservations table."""

from pynamodb.attributes import BooleanAttribute, ListAttribute, UnicodeAttribute

from parking.adapters.dynamodb.attributes import (
    EnumAttribute,
    InstantAttribute,
    IntegerAttribute,
    MomentAttribute,
    TypedMap,
    VersionedModel,
)
from parking.adapters.dynamodb.due import due_shard
from parking.domain.blocker import CommandStatus, Position, RejectReason, Result
from parking.domain.evidence import Evidence, Log
from parking.domain.ids import BlockerId, CommandId, ExtensionId, PaymentId, ReservationId, SpotId, UserId
from parking.domain.reservation import (
    EndReason,
    Extension,
    ExtensionStatus,
    Moved,
    Overstay,
    Reservation,
    ReservationStatus,
)
from parking.domain.tariff import OverstayTerms, PriceLine, Quote


class PriceLineMap(TypedMap):
    """One line of a quote."""

    text = UnicodeAttribute(attr_name="t")
    amount_minor = IntegerAttribute(attr_name="a")


class QuoteMap(TypedMap):
    """A quote inside its reservation or extension."""

    lines: ListAttribute[PriceLineMap] = ListAttribute(of=PriceLineMap, attr_name="l")
    amount_minor = IntegerAttribute(attr_name="a")
    currency = UnicodeAttribute(attr_name="c")
    tariff_version = IntegerAttribute(attr_name="v")


class ExtensionMap(TypedMap):
    """An extension inside its reservation."""

    extension_id = UnicodeAttribute(attr_name="i")
    previous_ends_at = MomentAttribute(attr_name="f")
    ends_at = MomentAttribute(attr_name="e")
    quote = QuoteMap(attr_name="q")
    status = EnumAttribute(ExtensionStatus, attr_name="s")
    hold_expires_at = MomentAttribute(attr_name="x")
    payment_id = UnicodeAttribute(attr_name="p", null=True)
    card_payment_id = UnicodeAttribute(attr_name="pc", null=True)
    fingerprint = UnicodeAttribute(attr_name="fp")
    created_at = MomentAttribute(attr_name="t")


class OverstayTermsMap(TypedMap):
    """What time after the end costs."""

    price_per_hour_minor = IntegerAttribute(attr_name="p")
    cap_minor = IntegerAttribute(attr_name="c")
    step_minutes = IntegerAttribute(attr_name="s")


class OverstayMap(TypedMap):
    """An overstay inside its reservation."""

    quote = QuoteMap(attr_name="q")
    payment_id = UnicodeAttribute(attr_name="p", null=True)
    card_payment_id = UnicodeAttribute(attr_name="pc", null=True)


class EvidenceMap(TypedMap):
    """A command that was given for the stay. Up to forty stand in an item, so the names are a blocker's short ones."""

    command_id = UnicodeAttribute(attr_name="c")
    position = EnumAttribute(Position, attr_name="p")
    asked_at = MomentAttribute(attr_name="t")
    expires_at = MomentAttribute(attr_name="x")
    status = EnumAttribute(CommandStatus, attr_name="s")
    ended_at = MomentAttribute(attr_name="e", null=True)
    answer = EnumAttribute(Result, attr_name="a", null=True)
    reason = EnumAttribute(RejectReason, attr_name="w", null=True)
    answered_at = MomentAttribute(attr_name="h", null=True)


class MovedMap(TypedMap):
    """Where a stay was booked that goes on elsewhere."""

    at = MomentAttribute(attr_name="t")
    booked_spot_id = UnicodeAttribute(attr_name="s")
    booked_spot_name = UnicodeAttribute(attr_name="n")
    booked_time_zone = UnicodeAttribute(attr_name="z")
    left_blocker_id = UnicodeAttribute(attr_name="b")


class ReservationModel(VersionedModel):
    """`due_shard` and `due_at` are derived from the next step, and absent where nothing is outstanding.

    The names are short, because each step of a stay rewrites the item, and every started KB is a write unit.
    """

    user_id = UnicodeAttribute(hash_key=True)
    reservation_id = UnicodeAttribute(range_key=True)
    due_shard = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    spot_id = UnicodeAttribute(attr_name="s")
    spot_name = UnicodeAttribute(attr_name="sn")
    time_zone = UnicodeAttribute(attr_name="tz")
    blocker_id = UnicodeAttribute(attr_name="b")
    turnover_minutes = IntegerAttribute(attr_name="tm")
    vehicle_plate = UnicodeAttribute(attr_name="vp", null=True)
    starts_at = MomentAttribute(attr_name="f")
    ends_at = MomentAttribute(attr_name="e")
    booked_ends_at = MomentAttribute(attr_name="be")
    quote = QuoteMap(attr_name="q")
    overstay_terms = OverstayTermsMap(attr_name="ot")
    tax_included = BooleanAttribute(attr_name="ti")
    status = EnumAttribute(ReservationStatus, attr_name="st")
    reason = EnumAttribute(EndReason, attr_name="r", null=True)
    hold_expires_at = MomentAttribute(attr_name="x")
    payment_id = UnicodeAttribute(attr_name="p", null=True)
    card_payment_id = UnicodeAttribute(attr_name="pc", null=True)
    extensions: ListAttribute[ExtensionMap] = ListAttribute(of=ExtensionMap, attr_name="ex", null=True)
    guard_due_at = MomentAttribute(attr_name="gd", null=True)
    guard_by = MomentAttribute(attr_name="gb", null=True)
    guard_failed_at = MomentAttribute(attr_name="gf", null=True)
    unserved_at = MomentAttribute(attr_name="u", null=True)
    told_end = MomentAttribute(attr_name="te", null=True)
    tell_taken_at = MomentAttribute(attr_name="tt", null=True)
    told_taken = MomentAttribute(attr_name="tk", null=True)
    finish_due_at = MomentAttribute(attr_name="fd", null=True)
    arrival_requested_at = MomentAttribute(attr_name="ar", null=True)
    arrival_failed_at = MomentAttribute(attr_name="af", null=True)
    arrived_at = MomentAttribute(attr_name="a", null=True)
    overstayed_since = MomentAttribute(attr_name="os", null=True)
    told_occupied_at = MomentAttribute(attr_name="oc", null=True)
    displaced_at = MomentAttribute(attr_name="d", null=True)
    moved = MovedMap(attr_name="m", null=True)
    ended_at = MomentAttribute(attr_name="en", null=True)
    overstay = OverstayMap(attr_name="o", null=True)
    evidence: ListAttribute[EvidenceMap] = ListAttribute(of=EvidenceMap, attr_name="ev", null=True)
    evidence_left_out = IntegerAttribute(attr_name="el", null=True)
    fingerprint = UnicodeAttribute(attr_name="fp")
    created_at = InstantAttribute()


def item_of(reservation: Reservation) -> ReservationModel:
    """The reservation as it is stored."""
    due = reservation.due
    return ReservationModel(
        user_id=reservation.user_id,
        reservation_id=reservation.reservation_id,
        due_shard=due_shard(due.step, reservation.reservation_id) if due else None,
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
        overstay_terms=_terms_map(reservation.overstay_terms),
        tax_included=reservation.tax_included,
        status=reservation.status,
        reason=reservation.reason,
        hold_expires_at=reservation.hold_expires_at,
        payment_id=reservation.payment_id,
        card_payment_id=reservation.card_payment_id,
        extensions=[_extension_map(extension) for extension in reservation.extensions] or None,
        guard_due_at=reservation.guard_due_at,
        guard_by=reservation.guard_by,
        guard_failed_at=reservation.guard_failed_at,
        unserved_at=reservation.unserved_at,
        told_end=reservation.told_end,
        tell_taken_at=reservation.tell_taken_at,
        told_taken=reservation.told_taken,
        finish_due_at=reservation.finish_due_at,
        arrival_requested_at=reservation.arrival_requested_at,
        arrival_failed_at=reservation.arrival_failed_at,
        arrived_at=reservation.arrived_at,
        overstayed_since=reservation.overstayed_since,
        told_occupied_at=reservation.told_occupied_at,
        displaced_at=reservation.displaced_at,
        moved=_moved_map(reservation.moved) if reservation.moved else None,
        ended_at=reservation.ended_at,
        overstay=_overstay_map(reservation.overstay) if reservation.overstay else None,
        evidence=[_evidence_map(one) for one in reservation.evidence.entries] or None,
        evidence_left_out=reservation.evidence.left_out or None,
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
        overstay_terms=_terms_of(item.overstay_terms),
        tax_included=item.tax_included,
        status=item.status,
        reason=item.reason,
        hold_expires_at=item.hold_expires_at,
        payment_id=PaymentId(item.payment_id) if item.payment_id else None,
        card_payment_id=PaymentId(item.card_payment_id) if item.card_payment_id else None,
        extensions=tuple(_extension_of(extension) for extension in item.extensions or ()),
        guard_due_at=item.guard_due_at,
        guard_by=item.guard_by,
        guard_failed_at=item.guard_failed_at,
        unserved_at=item.unserved_at,
        told_end=item.told_end,
        tell_taken_at=item.tell_taken_at,
        told_taken=item.told_taken,
        finish_due_at=item.finish_due_at,
        arrival_requested_at=item.arrival_requested_at,
        arrival_failed_at=item.arrival_failed_at,
        arrived_at=item.arrived_at,
        overstayed_since=item.overstayed_since,
        told_occupied_at=item.told_occupied_at,
        displaced_at=item.displaced_at,
        moved=_moved_of(item.moved) if item.moved else None,
        ended_at=item.ended_at,
        overstay=_overstay_of(item.overstay) if item.overstay else None,
        evidence=Log(tuple(_evidence_of(one) for one in item.evidence or ()), item.evidence_left_out or 0),
        fingerprint=item.fingerprint,
        created_at=item.created_at,
        version=item.version,
    )


def _terms_map(terms: OverstayTerms) -> OverstayTermsMap:
    return OverstayTermsMap(
        price_per_hour_minor=terms.price_per_hour_minor, cap_minor=terms.cap_minor, step_minutes=terms.step_minutes
    )


def _terms_of(item: OverstayTermsMap) -> OverstayTerms:
    return OverstayTerms(item.price_per_hour_minor, item.cap_minor, item.step_minutes)


def _moved_map(moved: Moved) -> MovedMap:
    return MovedMap(
        at=moved.at,
        booked_spot_id=moved.booked_spot_id,
        booked_spot_name=moved.booked_spot_name,
        booked_time_zone=moved.booked_time_zone,
        left_blocker_id=moved.left_blocker_id,
    )


def _moved_of(item: MovedMap) -> Moved:
    return Moved(
        at=item.at,
        booked_spot_id=SpotId(item.booked_spot_id),
        booked_spot_name=item.booked_spot_name,
        booked_time_zone=item.booked_time_zone,
        left_blocker_id=BlockerId(item.left_blocker_id),
    )


def _overstay_map(overstay: Overstay) -> OverstayMap:
    return OverstayMap(
        quote=_quote_map(overstay.quote), payment_id=overstay.payment_id, card_payment_id=overstay.card_payment_id
    )


def _overstay_of(item: OverstayMap) -> Overstay:
    return Overstay(
        quote=_quote_of(item.quote),
        payment_id=PaymentId(item.payment_id) if item.payment_id else None,
        card_payment_id=PaymentId(item.card_payment_id) if item.card_payment_id else None,
    )


def _evidence_map(evidence: Evidence) -> EvidenceMap:
    return EvidenceMap(
        command_id=evidence.command_id,
        position=evidence.position,
        asked_at=evidence.asked_at,
        expires_at=evidence.expires_at,
        status=evidence.status,
        ended_at=evidence.ended_at,
        answer=evidence.answer,
        reason=evidence.reason,
        answered_at=evidence.answered_at,
    )


def _evidence_of(item: EvidenceMap) -> Evidence:
    return Evidence(
        command_id=CommandId(item.command_id),
        position=item.position,
        asked_at=item.asked_at,
        expires_at=item.expires_at,
        status=item.status,
        ended_at=item.ended_at,
        answer=item.answer,
        reason=item.reason,
        answered_at=item.answered_at,
    )


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
        card_payment_id=extension.card_payment_id,
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
        card_payment_id=PaymentId(item.card_payment_id) if item.card_payment_id else None,
        fingerprint=item.fingerprint,
        created_at=item.created_at,
    )
