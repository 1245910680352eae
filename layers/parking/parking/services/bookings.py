"""Reserving, arriving, extending, departing, cancelling: load, decide, commit."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from parking.domain.blocker import Blocker
from parking.domain.calendar import Calendar, Claim
from parking.domain.closing import must_be_open
from parking.domain.ending import cancel, depart, expire_hold, refunds_in_full
from parking.domain.errors import (
    BlockerUnavailable,
    DebtOpen,
    InvalidField,
    PriceChanged,
    SpotNotYetFree,
    SpotUnavailable,
)
from parking.domain.extending import LONGEST_EXTENSION, check_extendable, hold_extension, latest_end
from parking.domain.health import Health
from parking.domain.ids import CreateRequest, ExtensionId, ReservationId, SpotId, UserId
from parking.domain.ledger import Wallet
from parking.domain.pricing import quote_extension, quote_stay
from parking.domain.reservation import (
    CLOCK_SKEW,
    HOLD,
    Extension,
    ExtensionStatus,
    Reservation,
    ReservationStatus,
    check_stay,
    request_arrival,
    showing,
)
from parking.domain.spot import ServiceState, Spot
from parking.domain.tariff import Quote
from parking.domain.time import Interval
from parking.domain.watching import health_at
from parking.services import notices
from parking.services.commit import until_committed
from parking.services.neighbours import days_with_neighbours, parked_instead, with_neighbour_told
from parking.services.open_payments import abandoned
from parking.services.overstays import charged_for_overstay
from parking.services.owned import reservation_of
from parking.services.ports import Aggregate, Store
from parking.services.refunds import GivenBack, refund_stay
from parking.services.spots import spot_of

MOST_LAPSED = 20  # holds cleared out of the way by one booking, so that all of it fits into one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a driver asks for. `starts_at` None is now; `quoted_amount_minor` is the price that was shown."""

    spot_id: SpotId
    starts_at: datetime | None
    ends_at: datetime
    quoted_amount_minor: int | None
    vehicle_plate: str | None


def reserve(store: Store, request: CreateRequest, wish: Wish, now: datetime) -> Reservation:
    """Hold a spot for ten minutes. The same request twice is one reservation and one answer.

    Raises NotFound, InvalidField, AccountClosed, DebtOpen, SpotUnavailable, PriceChanged, BlockerUnavailable,
    IdempotencyMismatch.
    """

    reservation_id = ReservationId(request.new_id("res"))

    def attempt() -> Reservation:
        existing = store.get(Reservation, request.user_id, reservation_id)
        if existing:
            request.must_match(existing.fingerprint)
            return existing.first_answer
        _may_reserve(store, request.user_id)
        spot = spot_of(store, wish.spot_id)
        stay = _stay(wish, now)
        check_stay(spot, stay, now)
        reservation = _held(request, reservation_id, spot, wish, stay, now)
        if stay.starts_at <= now + CLOCK_SKEW:
            _must_be_online(store, spot, now)
        before, cleared, lapsed = _cleared(store, reservation, spot.tariff.step, now)
        after = showing(cleared, reservation)
        others = with_neighbour_told(store, lapsed, after, reservation, spot.tariff.step, now)
        store.commit(reservation, *after.changed_from(before), *others)
        return reservation

    return until_committed(attempt)


def arrive(store: Store, user_id: UserId, reservation_id: ReservationId, now: datetime) -> Reservation:
    """The owner wants the blocker down. Raises NotFound, NotPaid, OutsideArrivalWindow, SpotNotYetFree, WrongState."""

    def attempt() -> Reservation:
        before = reservation_of(store, user_id, reservation_id)
        after = request_arrival(before, now)
        if now < before.starts_at:
            _must_be_vacated(store, before, now)
        if after != before:
            _must_be_empty(store, before, now)
            store.commit(after)
        return after

    return until_committed(attempt)


def leave(store: Store, user_id: UserId, reservation_id: ReservationId, now: datetime) -> Reservation:
    """End the stay now and give the rest of the time back. Raises NotFound, WrongState."""

    def attempt() -> Reservation:
        before = reservation_of(store, user_id, reservation_id)
        after = depart(before, now)
        return commit_end(store, before, after, now) if after != before else after

    return until_committed(attempt)


def call_off(store: Store, user_id: UserId, reservation_id: ReservationId, now: datetime) -> Reservation:
    """Cancel, and refund by the policy in the same commit. Raises NotFound, WrongState."""

    def attempt() -> Reservation:
        before = reservation_of(store, user_id, reservation_id)
        after = cancel(before, now)
        if after != before:
            commit_cancellation(store, before, after, now)
        return after

    return until_committed(attempt)


def commit_cancellation(store: Store, before: Reservation, after: Reservation, now: datetime) -> None:
    """Write a cancelled reservation with its freed interval, its refund, its credit and its notices."""
    money = refund_stay(store, after, now) if refunds_in_full(after) else GivenBack()
    unpaid = abandoned(store, before, after, now)
    days = given_back(store, before, after)
    told = [notices.ended(after, money.refunded_minor, now)]
    if money.credited_minor:
        told.append(notices.credited(after, money.credited_minor, now))
    store.commit(after, *days, *money.saves, *unpaid, *told)


def commit_end(store: Store, before: Reservation, after: Reservation, now: datetime) -> Reservation:
    """Write a stay that is over, with its freed interval, what an overstay costs, and its notice."""
    closed, overstay = charged_for_overstay(store, after, now)
    unpaid = abandoned(store, before, after, now)
    days = given_back(store, before, after)
    store.commit(closed, *overstay, *days, *unpaid, notices.ended(after, 0, now))
    return closed


def given_back(store: Store, before: Reservation, after: Reservation) -> Iterable[Aggregate]:
    """The calendar days to write because the reservation claims less than it did."""
    if before.claim is None or after.claim == before.claim:
        return ()
    calendar = store.calendar(before.spot_id, before.claim.blocked.utc_days())
    return showing(calendar, after).changed_from(calendar)


@dataclass(frozen=True, slots=True)
class ExtensionOption:
    """Whether the stay can be longer, until when, and what the asked end costs (None: nothing or too much asked)."""

    extendable: bool
    latest_ends_at: datetime
    quote: Quote | None


def extension_option(
    store: Store, user_id: UserId, reservation_id: ReservationId, ends_at: datetime | None, now: datetime
) -> ExtensionOption:
    """What an extension could be. Raises NotFound, WrongState, InvalidField."""
    reservation = reservation_of(store, user_id, reservation_id)
    check_extendable(reservation, now)
    spot = spot_of(store, reservation.spot_id)
    latest = latest_end(reservation, store.calendar(reservation.spot_id, days_ahead(reservation)))
    extendable = latest >= reservation.ends_at + spot.tariff.step
    if ends_at is not None:
        _must_be_longer(reservation, spot, ends_at)
    if ends_at is None or ends_at > latest:
        return ExtensionOption(extendable and ends_at is None, latest, None)
    return ExtensionOption(True, latest, _extension_quote(reservation, spot, ends_at))


def extend(
    store: Store, request: CreateRequest, reservation_id: ReservationId, ends_at: datetime, now: datetime
) -> tuple[Reservation, Extension]:
    """Hold more time for a stay. The end moves when the extension is paid.

    Raises NotFound, WrongState, InvalidField, ExtensionUnavailable, IdempotencyMismatch.
    """
    extension_id = ExtensionId(request.new_id("ext"))

    def attempt() -> tuple[Reservation, Extension]:
        stored = reservation_of(store, request.user_id, reservation_id)
        existing = stored.extension(extension_id)
        if existing:
            request.must_match(existing.fingerprint)
            return stored, existing.first_answer
        reservation = expire_hold(stored, now)
        check_extendable(reservation, now)
        spot = spot_of(store, reservation.spot_id)
        _must_be_longer(reservation, spot, ends_at)
        extension = Extension(
            extension_id=extension_id,
            previous_ends_at=reservation.ends_at,
            ends_at=ends_at,
            quote=_extension_quote(reservation, spot, ends_at),
            status=ExtensionStatus.HELD,
            hold_expires_at=min(now + HOLD, reservation.ends_at),
            fingerprint=request.fingerprint,
            created_at=now,
        )
        before = store.calendar(reservation.spot_id, days_ahead(reservation))
        held = hold_extension(reservation, extension, latest_end(reservation, before), now)
        after = showing(before, held)
        store.commit(held, *after.changed_from(before), *abandoned(store, stored, held, now))
        return held, extension

    return until_committed(attempt)


def days_ahead(reservation: Reservation) -> list[date]:
    """The days that say until when the stay can be extended: its own, and a day and the turnover further."""
    reach = reservation.ends_at + LONGEST_EXTENSION + timedelta(minutes=reservation.turnover_minutes)
    return Interval(reservation.starts_at, reach).utc_days()


def _stay(wish: Wish, now: datetime) -> Interval:
    starts_at = (wish.starts_at or now).replace(microsecond=0)
    ends_at = wish.ends_at.replace(microsecond=0)
    if ends_at <= starts_at:
        raise InvalidField("ends_at", "is not after the start")
    return Interval(starts_at, ends_at)


def _held(
    request: CreateRequest, reservation_id: ReservationId, spot: Spot, wish: Wish, stay: Interval, now: datetime
) -> Reservation:
    if spot.service_state is ServiceState.OUT_OF_SERVICE:
        raise SpotUnavailable("The spot is out of service.")
    quote = quote_stay(spot.tariff, stay, spot.time_zone)
    if wish.quoted_amount_minor not in (None, quote.amount_minor):
        raise PriceChanged("The price is another one now.", amount=quote.amount_minor, currency=quote.currency)
    return Reservation(
        user_id=request.user_id,
        reservation_id=reservation_id,
        spot_id=spot.spot_id,
        spot_name=spot.name,
        time_zone=spot.time_zone,
        blocker_id=spot.blocker_id,
        turnover_minutes=spot.turnover_minutes,
        vehicle_plate=wish.vehicle_plate,
        starts_at=stay.starts_at,
        ends_at=stay.ends_at,
        booked_ends_at=stay.ends_at,
        quote=quote,
        overstay_terms=spot.tariff.overstay,
        tax_included=spot.tariff.tax_included,
        status=ReservationStatus.HELD,
        hold_expires_at=min(now + HOLD, stay.ends_at),
        fingerprint=request.fingerprint,
        created_at=now,
    )


def _extension_quote(reservation: Reservation, spot: Spot, ends_at: datetime) -> Quote:
    longer = Interval(reservation.starts_at, ends_at)
    return quote_extension(spot.tariff, reservation.stay, longer, spot.time_zone)


def _may_reserve(store: Store, user_id: UserId) -> None:
    wallet = store.get(Wallet, user_id)
    must_be_open(wallet)
    if wallet and wallet.debts:
        debt = wallet.debts[0]
        raise DebtOpen(
            "An overstay is not paid yet; pay it first.",
            reservation_id=debt.reservation_id,
            amount=debt.amount_minor,
            currency=wallet.currency,
        )


def _must_be_online(store: Store, spot: Spot, now: datetime) -> None:
    """Nor silent: what does not answer can neither be lowered nor keep the spot."""
    blocker = store.get(Blocker, spot.blocker_id)
    if blocker is None or health_at(blocker, now) is not Health.ONLINE:
        raise BlockerUnavailable("The spot's blocker cannot be reached now; choose another spot or a later start.")


def _cleared(
    store: Store, reservation: Reservation, step: timedelta, now: datetime
) -> tuple[Calendar, Calendar, list[Aggregate]]:
    """The calendar as stored, the calendar without lapsed holds in the way, and those holds, expired.

    The next driver who wants the interval need not wait for the schedule. Raises SpotUnavailable.
    """
    claim = _claim(reservation)
    near = days_with_neighbours(claim, reservation.turnover_minutes, step)
    before = store.calendar(reservation.spot_id, near)
    conflicts = before.conflicts(claim)
    if not conflicts:
        return before, before, []
    if len(conflicts) > MOST_LAPSED:
        raise SpotUnavailable("Others have this spot in that time.")
    days = {*near, *(day for conflict in conflicts for day in conflict.blocked.utc_days())}
    before = store.calendar(
        reservation.spot_id, [min(days) + timedelta(n) for n in range((max(days) - min(days)).days + 1)]
    )
    after, lapsed = before, list[Aggregate]()
    for conflict in before.conflicts(claim):
        holder = store.get(Reservation, conflict.user_id, conflict.reservation_id)
        expired = expire_hold(holder, now) if holder else None
        if holder is None or expired is None or expired == holder:
            raise SpotUnavailable("Somebody else has this spot in that time.")
        after = showing(after, expired)
        lapsed += [expired, *abandoned(store, holder, expired, now)]
        if expired.status is ReservationStatus.EXPIRED:
            lapsed.append(notices.ended(expired, 0, now))
    return before, after, lapsed


def _claim(reservation: Reservation) -> Claim:
    return Claim.of(reservation.user_id, reservation.reservation_id, reservation.stay, reservation.turnover_minutes)


def _must_be_vacated(store: Store, reservation: Reservation, now: datetime) -> None:
    """Who comes before the start must not take somebody else's time: paid, or held by who may still pay."""
    until_start = Interval(now, reservation.starts_at)
    for claim in store.calendar(reservation.spot_id, until_start.utc_days()).claims:
        if claim.reservation_id == reservation.reservation_id or not claim.stay.overlaps(until_start):
            continue
        holder = store.get(Reservation, claim.user_id, claim.reservation_id)
        if holder and (holder.guarded_by_blocker or holder.is_held(now)):
            raise SpotNotYetFree("Somebody else has the spot until yours begins.", free_at=claim.stay.ends_at)


def _must_be_empty(store: Store, reservation: Reservation, now: datetime) -> None:
    """Who asks while the car of another stay is there cannot park, and would lose what is offered instead."""
    blocker = store.get(Blocker, reservation.blocker_id)
    if blocker and parked_instead(store, reservation, blocker, now):
        raise SpotNotYetFree("The car of another stay is on the spot.")


def _must_be_longer(reservation: Reservation, spot: Spot, ends_at: datetime) -> None:
    if ends_at < reservation.ends_at + spot.tariff.step:
        raise InvalidField("ends_at", f"an extension lasts at least {spot.tariff.step_minutes} minutes")
