"""What drivers ask of the API: each call, and the answer that the plain rules expect when nothing disturbs it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from parking.domain.blocker import Blocker
from parking.domain.health import Health
from parking.domain.ids import CreateRequest, ExtensionId, ReservationId, SpotId, UserId
from parking.domain.ledger import Wallet
from parking.domain.reservation import Extension, ExtensionStatus, Reservation, ReservationStatus
from parking.domain.spot import ServiceState, Spot
from parking.services import bookings, displaced, offline_entry, payments
from payments.schemas import StartedPaymentOut
from reservations.schemas import AlternativeOut, AlternativesOut, ExtensionOut, OfflineCodeOut, ReservationOut
from tests.simulation import doors, reference

if TYPE_CHECKING:
    from tests.simulation.world import World

OK = "ok"
ANYTHING = "anything"
"""What is answered is left open."""
S = ReservationStatus
WITHDRAWALS_MINOR = range(100, 50_001)


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One request of a driver. `key` is "" where the route takes no Idempotency-Key."""

    name: str
    user_id: UserId
    key: str
    body: tuple[Any, ...]
    run: Callable[[doors.Ports, CreateRequest, datetime], Any]
    expect: Callable[["World", datetime], str]
    expect_again: Callable[["World", datetime], str] = lambda _, __: OK

    @property
    def request(self) -> CreateRequest:
        """The creating request as the door names it."""
        return CreateRequest(self.user_id, self.name, self.key, repr(self.body))


def expected(world: "World", call: ApiCall, now: datetime) -> str:
    """OK, or the code of the refusal."""
    first = world.bodies.get((call.user_id, call.name, call.key))
    if first is None or (call.name == "withdraw" and call.body[0] not in WITHDRAWALS_MINOR):
        return call.expect(world, now)
    if first != call.body:
        return "idempotency_mismatch"
    return call.expect_again(world, now)


def is_closed(world: "World", user_id: UserId) -> bool:
    """Whether the driver has closed the account."""
    wallet = world.store.get(Wallet, user_id)
    return wallet is not None and wallet.closed_at is not None


def _mine(world: "World", user_id: UserId, reservation_id: ReservationId) -> Reservation | None:
    return world.store.get(Reservation, user_id, reservation_id)


def reserve(
    user_id: UserId, key: str, spot_id: SpotId, starts_at: datetime | None, ends_at: datetime, quoted: int | None
) -> ApiCall:
    """POST /reservations."""

    def run(ports: doors.Ports, request: CreateRequest, now: datetime) -> ReservationOut:
        wish = bookings.Wish(
            spot_id=spot_id, starts_at=starts_at, ends_at=ends_at, quoted_amount_minor=quoted, vehicle_plate=None
        )
        return ReservationOut.of(bookings.reserve(ports.store, request, wish, now), None, now)

    def expect(world: "World", now: datetime) -> str:
        if is_closed(world, user_id):
            return "account_closed"
        return "debt_open" if debt_of(world, user_id) else reservable(world, now)

    def reservable(world: "World", now: datetime) -> str:
        spot = world.store.get(Spot, spot_id)
        start = (starts_at or now).replace(microsecond=0)
        end = ends_at.replace(microsecond=0)
        if spot is None:
            return "not_found"
        lasts = end - start
        impossible = (
            start < now - reference.SKEW
            or start > now + reference.FARTHEST
            or lasts < timedelta(minutes=spot.tariff.minimum_minutes)
            or lasts > reference.WEEK
        )
        if impossible or lasts <= timedelta(0):
            return "invalid_request"
        if spot.service_state is ServiceState.OUT_OF_SERVICE:
            return "spot_unavailable"
        if quoted not in (None, reference.price_minor(spot.tariff, lasts)):
            return "price_changed"
        blocker = world.store.get(Blocker, spot.blocker_id)
        answers = blocker is not None and reference.health(blocker, now) is Health.ONLINE
        if start <= now + reference.SKEW and not answers:
            return "blocker_unavailable"
        until = end + timedelta(minutes=spot.turnover_minutes)
        taken = any(_in_the_way(other, start, until, now) for other in world.reservations_at(spot_id))
        return "spot_unavailable" if taken else OK

    return ApiCall("reserve", user_id, key, (spot_id, starts_at, ends_at, quoted), run, expect)


def _in_the_way(other: Reservation, start: datetime, until: datetime, now: datetime) -> bool:
    """Whether a claim overlaps [start, until). A hold that has lapsed makes way."""
    if other.status is S.HELD and other.hold_expires_at <= now:
        return False
    claim = reference.claimed(other)
    if claim is None:
        return False
    waiting = reference.open_extension(other)
    ends_at = other.ends_at if waiting and waiting.hold_expires_at <= now else claim[1]
    return claim[0] < until and start < ends_at + timedelta(minutes=other.turnover_minutes)


def pay(user_id: UserId, key: str, reservation_id: ReservationId, extension_id: ExtensionId | None) -> ApiCall:
    """POST /payments."""

    def run(ports: doors.Ports, request: CreateRequest, now: datetime) -> StartedPaymentOut:
        paid = payments.pay_from_wallet(
            ports.store, request, reservation_id=reservation_id, extension_id=extension_id, now=now
        )
        return StartedPaymentOut.paid(paid)

    def expect(world: "World", now: datetime) -> str:
        reservation = _mine(world, user_id, reservation_id)
        if reservation is None:
            return "not_found"
        extension = next((e for e in reservation.extensions if e.extension_id == extension_id), None)
        if extension_id and extension is None:
            return "not_found"
        no = refused_payment(reservation, extension, now)
        if no != OK:
            return no
        asked = asked_minor(reservation, extension)
        wallet = world.store.get(Wallet, user_id)
        return OK if wallet and wallet.balance_minor >= asked else "insufficient_funds"

    return ApiCall("pay", user_id, key, (reservation_id, extension_id), run, expect)


def refused_payment(reservation: Reservation, extension: Extension | None, now: datetime) -> str:
    """OK, or why what is named cannot be paid."""
    return _extension_payable(reservation, extension, now) if extension else _payable(reservation, now)


def asked_minor(reservation: Reservation, extension: Extension | None) -> int:
    """What is to be paid: the extension, the overstay, or the stay."""
    return (extension or reservation.overstay or reservation).quote.amount_minor


def _payable(reservation: Reservation, now: datetime) -> str:
    if reservation.overstay:
        return "already_paid" if reservation.overstay.payment_id else OK
    if reservation.payment_id:
        return "already_paid"
    if reservation.status in (S.HELD, S.EXPIRED):
        lapsed = reservation.status is S.EXPIRED or now >= reservation.hold_expires_at
        return "hold_expired" if lapsed else OK
    return "wrong_state"


def _extension_payable(reservation: Reservation, extension: Extension, now: datetime) -> str:
    if extension.status is ExtensionStatus.CONFIRMED:
        return "already_paid"
    if extension.status is ExtensionStatus.EXPIRED or now >= extension.hold_expires_at:
        return "hold_expired"
    return OK if _runs(reservation, now) else "wrong_state"


def _runs(reservation: Reservation, now: datetime) -> bool:
    return reservation.status in reference.RUNNING and now < reservation.ends_at


def extend(user_id: UserId, key: str, reservation_id: ReservationId, ends_at: datetime) -> ApiCall:
    """POST /reservations/{id}/extensions."""

    def run(ports: doors.Ports, request: CreateRequest, now: datetime) -> ExtensionOut:
        reservation, extension = bookings.extend(ports.store, request, reservation_id, ends_at, now)
        return ExtensionOut.of(reservation.reservation_id, extension)

    def expect(world: "World", now: datetime) -> str:
        reservation = _mine(world, user_id, reservation_id)
        if reservation is None:
            return "not_found"
        if not _runs(reservation, now):
            return "wrong_state"
        spot = world.store.get(Spot, reservation.spot_id)
        step = timedelta(minutes=spot.tariff.step_minutes if spot else 0)
        if ends_at < reservation.ends_at + step:
            return "invalid_request"
        waiting = reference.open_extension(reservation)
        if waiting and waiting.hold_expires_at > now:
            return "wrong_state"
        latest = reference.latest_end(reservation, world.reservations_at(reservation.spot_id))
        return "extension_unavailable" if ends_at > latest else OK

    return ApiCall("extend", user_id, key, (reservation_id, ends_at), run, expect)


def ask_extension(user_id: UserId, reservation_id: ReservationId) -> ApiCall:
    """GET /reservations/{id}/extension."""

    def run(ports: doors.Ports, _: CreateRequest, now: datetime) -> bookings.ExtensionOption:
        return bookings.extension_option(ports.store, user_id, reservation_id, None, now)

    def expect(world: "World", now: datetime) -> str:
        reservation = _mine(world, user_id, reservation_id)
        if reservation is None:
            return "not_found"
        return OK if _runs(reservation, now) else "wrong_state"

    return ApiCall("extension option", user_id, "", (reservation_id,), run, expect)


def arrive(user_id: UserId, reservation_id: ReservationId) -> ApiCall:
    """POST /reservations/{id}/arrival."""

    def run(ports: doors.Ports, _: CreateRequest, now: datetime) -> Reservation:
        return doors.arrival(ports, user_id, reservation_id, now)

    def expect(world: "World", now: datetime) -> str:
        mine = _mine(world, user_id, reservation_id)
        if mine is None:
            return "not_found"
        if mine.status is S.HELD:
            return "not_paid"
        if mine.status not in reference.RUNNING:
            return "wrong_state"
        if not mine.starts_at - reference.LEAD <= now < mine.ends_at:
            return "outside_arrival_window"
        before_mine = [
            other
            for other in world.reservations_at(mine.spot_id)
            if other.key != mine.key and _goes_before(other, now, mine.starts_at)
        ]
        if before_mine:
            return "spot_not_yet_free"
        others, blocker = world.reservations_at(mine.spot_id), world.store.get(Blocker, mine.blocker_id)
        kept_out = mine.arrival_requested_at is None and reference.parked_instead(mine, others, blocker, now)
        return "spot_not_yet_free" if kept_out else OK

    return ApiCall("arrive", user_id, "", (reservation_id,), run, expect)


def ask_code(user_id: UserId, reservation_id: ReservationId) -> ApiCall:
    """GET /reservations/{id}/offline-code."""

    def run(ports: doors.Ports, _: CreateRequest, now: datetime) -> OfflineCodeOut:
        given = offline_entry.offline_code(ports.store, ports.codes, user_id, reservation_id, now)
        return OfflineCodeOut(code=given.code, expires_at=given.expires_at)

    def expect(world: "World", now: datetime) -> str:
        mine = _mine(world, user_id, reservation_id)
        if mine is None:
            return "not_found"
        if mine.status is not S.CONFIRMED or now >= mine.ends_at:
            return "wrong_state"
        asked = mine.arrival_requested_at
        return OK if asked and asked + reference.LOWER_WITHIN <= now else "offline_code_unavailable"

    return ApiCall("offline code", user_id, "", (reservation_id,), run, expect)


def _goes_before(other: Reservation, now: datetime, start: datetime) -> bool:
    """Whether somebody has the spot at some time between now and a start, or may still pay for it."""
    claim, held = reference.claimed(other), other.status is S.HELD and now < other.hold_expires_at
    return claim is not None and (held or other.status in reference.RUNNING) and claim[0] < start and now < claim[1]


def depart(user_id: UserId, reservation_id: ReservationId) -> ApiCall:
    """POST /reservations/{id}/departure."""

    def run(ports: doors.Ports, _: CreateRequest, now: datetime) -> Reservation:
        return bookings.leave(ports.store, user_id, reservation_id, now)

    def expect(world: "World", _: datetime) -> str:
        mine = _mine(world, user_id, reservation_id)
        if mine is None:
            return "not_found"
        return OK if mine.status in (S.ACTIVE, S.COMPLETED) else "wrong_state"

    return ApiCall("depart", user_id, "", (reservation_id,), run, expect)


def cancel(user_id: UserId, reservation_id: ReservationId) -> ApiCall:
    """POST /reservations/{id}/cancellation."""

    def run(ports: doors.Ports, _: CreateRequest, now: datetime) -> Reservation:
        return bookings.call_off(ports.store, user_id, reservation_id, now)

    def expect(world: "World", now: datetime) -> str:
        mine = _mine(world, user_id, reservation_id)
        if mine is None:
            return "not_found"
        if mine.status is S.CANCELLED:
            return OK
        return OK if mine.status in (S.HELD, S.CONFIRMED) and now < mine.ends_at else "wrong_state"

    return ApiCall("cancel", user_id, "", (reservation_id,), run, expect)


def ask_alternatives(user_id: UserId, reservation_id: ReservationId) -> ApiCall:
    """GET /reservations/{id}/alternatives."""

    def run(ports: doors.Ports, _: CreateRequest, now: datetime) -> AlternativesOut:
        found = displaced.alternatives(ports.store, user_id, reservation_id, now)
        return AlternativesOut(items=[AlternativeOut.of(one) for one in found])

    def expect(world: "World", now: datetime) -> str:
        mine = _mine(world, user_id, reservation_id)
        if mine is None:
            return "not_found"
        return OK if reference.may_choose(mine, now) else "wrong_state"

    return ApiCall("alternatives", user_id, "", (reservation_id,), run, expect)


def move(user_id: UserId, reservation_id: ReservationId, spot_id: SpotId) -> ApiCall:
    """POST /reservations/{id}/move."""

    def run(ports: doors.Ports, _: CreateRequest, now: datetime) -> Reservation:
        return displaced.move(ports.store, user_id, reservation_id, spot_id, now)

    def expect(world: "World", now: datetime) -> str:
        mine, spot = _mine(world, user_id, reservation_id), world.store.get(Spot, spot_id)
        if mine is None:
            return "not_found"
        if mine.moved and mine.spot_id == spot_id and not reference.let_down(mine):
            return OK
        if not reference.may_choose(mine, now):
            return "wrong_state"
        if spot is None:
            return "not_found"
        return OK if world.could_take(spot, mine, now) else "spot_unavailable"

    return ApiCall("move", user_id, "", (reservation_id, spot_id), run, expect)


def debt_of(world: "World", user_id: UserId) -> ReservationId | None:
    """The reservation whose overstay keeps the driver from reserving."""
    wallet = world.store.get(Wallet, user_id)
    return wallet.debts[0].reservation_id if wallet and wallet.debts else None
