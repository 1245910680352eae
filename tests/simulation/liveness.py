"""Invariant 12: when the faults stop, everything comes to a final or a waiting state within ten minutes."""

from datetime import timedelta
from typing import TYPE_CHECKING

from parking.domain.blocker import Blocker, CommandStatus, Connectivity, Occupancy, Position
from parking.domain.health import Condition, Health
from parking.domain.ids import UserId
from parking.domain.ledger import Wallet
from parking.domain.notification import Notification
from parking.domain.payment import LOOK_AFTER, Payment, PaymentStatus, Purpose
from parking.domain.reservation import Reservation, ReservationStatus
from parking.domain.spot import Spot
from parking.services.reconciling import compare
from tests.simulation import check_accounts, check_service, reference
from tests.simulation.incidents import Incidents
from tests.simulation.stripe import FOREIGN_INTENT
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.world import World

HEARTBEAT = timedelta(minutes=5)
QUIET = timedelta(minutes=10)
TICK = timedelta(minutes=1)
P = PaymentStatus
_FOR_A_STAY = (Purpose.RESERVATION, Purpose.EXTENSION, Purpose.OVERSTAY)
S = ReservationStatus


def come_to_rest(world: "World", incidents: Incidents) -> None:
    """Stop the faults, mend the machines, send the failure queues again, and look after ten minutes; then let every
    stay pass and every car leave, and look again. Raises Violation.
    """
    world.say("the faults stop")
    world.calm()
    incidents.mend_everything()
    world.mail.redrive(world.now)
    _pass_minutes(world, int(QUIET / TICK))
    _check_waiting(world)
    erased_at = [wallet.erase_due_at for wallet in world.store.all_of(Wallet) if wallet.erase_due_at]
    last = max([r.ends_at for r in world.store.reservations] + erased_at, default=world.now)
    world.advance(max(last, world.now) + reference.GRACE + TICK)
    for device in world.devices.values():
        device.car_leaves()
    _pass_minutes(world, 3)
    _check_waiting(world)
    for reservation in world.store.reservations:
        if reservation.status not in reference.FINAL:
            raise Violation(12, f"{reservation.reservation_id} is still {reservation.status} after its time")


def _pass_minutes(world: "World", minutes: int) -> None:
    for _ in range(minutes):
        world.advance(world.now + TICK)


def _check_waiting(world: "World") -> None:
    for reservation in world.store.reservations:
        _check_reservation(world, reservation)
    for blocker in world.store.all_of(Blocker):
        _check_blocker(world, blocker)
    _check_money(world)
    check_accounts.check_at_rest(world)
    for notice in world.store.all_of(Notification):
        just_made = notice.created_at > world.now - TICK
        if not just_made and notice.notification_id not in world.invariants.memory.knocked:
            raise Violation(12, f"nobody knocked for {notice.notification_id} ({notice.kind})")


def _check_reservation(world: "World", reservation: Reservation) -> None:
    due = reference.due(reservation)
    if due and due[0] < world.now - 2 * TICK:
        raise Violation(12, f"{reservation.reservation_id} waits for {due[1]} since {due[0]}")
    if reservation.status is S.HELD and reservation.hold_expires_at < world.now - 2 * TICK:
        raise Violation(10, f"{reservation.reservation_id} is held, and lapsed at {reservation.hold_expires_at}")
    over = reservation.ends_at < world.now - 2 * TICK
    if reservation.status is S.CONFIRMED and over:
        raise Violation(12, f"{reservation.reservation_id} is over, and still CONFIRMED")
    if reservation.status is S.ACTIVE and over:
        occupied = world.devices[reservation.blocker_id].car is not None
        metered = reservation.overstayed_since or world.now < reservation.ends_at + reference.GRACE + 2 * TICK
        if not occupied or not metered:
            raise Violation(12, f"{reservation.reservation_id} is over, and still ACTIVE without a car")
    asked = reservation.arrival_requested_at
    # A card's late answer may have made the stay before good again, after the next driver came early to a free spot.
    others = (one for one in world.reservations_at(reservation.spot_id) if one.status in reference.RUNNING)
    waits = any(one.starts_at <= world.now < min(one.ends_at, reservation.starts_at) for one in others)
    if reservation.status is S.CONFIRMED and asked and asked < world.now - QUIET and not waits:
        raise Violation(12, f"{reservation.reservation_id} waits for its barrier since {asked}")

    check_service.check_at_rest(world, reservation)


def _check_blocker(world: "World", blocker: Blocker) -> None:
    device = world.devices[blocker.blocker_id]
    spot = world.store.get(Spot, blocker.spot_id)
    if spot is None or not device.online:
        raise Violation(12, f"{blocker.blocker_id} did not come back")
    if blocker.connectivity is not Connectivity.ONLINE:
        raise Violation(12, f"{blocker.blocker_id} is connected, and counts as {blocker.connectivity}")
    _check_watch(world, blocker)
    told = blocker.command
    if told and told.status is CommandStatus.PENDING and told.expires_at < world.now - 2 * TICK:
        raise Violation(12, f"{told.command_id} is pending since {told.created_at}")
    if (reference.seen(blocker, world.now) is Occupancy.OCCUPIED) is not (device.car is not None):
        raise Violation(12, f"{blocker.blocker_id}: the car {device.car} is not what is believed")
    if not device.moving:
        _check_position(world, blocker, spot)


def _check_watch(world: "World", blocker: Blocker) -> None:
    """Who has come back, and what was mended, is known within two ticks."""
    watch, lately = blocker.watch, world.now - 2 * TICK
    if watch.due_at and watch.due_at < lately:
        raise Violation(10, f"{blocker.blocker_id} is due since {watch.due_at}")
    if watch.health is not Health.ONLINE and reference.health(blocker, lately) is Health.ONLINE:
        raise Violation(12, f"{blocker.blocker_id} is online, and operators know it as {watch.health}")
    if mended := watch.conditions & {Condition.LOW_BATTERY, Condition.TAMPER}:
        raise Violation(12, f"{blocker.blocker_id} was mended, and still has {mended}")


def _check_position(world: "World", blocker: Blocker, spot: Spot) -> None:
    """The barrier is where it is wanted, unless that has changed since the last heartbeat."""
    device = world.devices[blocker.blocker_id]
    if blocker.position.value != device.position.value:
        raise Violation(12, f"{blocker.blocker_id} is {device.position}, and believed to be {blocker.position}")
    stays, seen_by = world.reservations_at(spot.spot_id), world.now - HEARTBEAT - TICK
    wish = reference.wanted(blocker, spot.idle_position, stays, world.now)
    moved_at = world.invariants.memory.moved_at.get(spot.spot_id, seen_by)
    new = moved_at > seen_by or wish != reference.wanted(blocker, spot.idle_position, stays, seen_by)
    held_down = wish.position is Position.RAISED and device.car is not None
    if device.position.value != wish.position.value and not held_down and not new:
        raise Violation(12, f"{blocker.blocker_id} is {device.position}, wanted is {wish}")


def _check_money(world: "World") -> None:
    """Every charge has its fact, nothing is left to be settled, and our books are Stripe's."""
    for payment in world.store.all_of(Payment):
        _check_payment(world, payment)
    for intent in world.cards.intents:
        if intent.user_id is None or intent.payment_id is None:
            continue
        found = world.store.get(Payment, UserId(intent.user_id), intent.payment_id)
        if found is None:
            raise Violation(3, f"{intent.intent_id} is for a payment that is not there")
        if (intent.status == "succeeded") is not found.charged:
            raise Violation(3, f"{intent.intent_id} is {intent.status}, and {found.payment_id} is {found.status}")
    _check_debts(world)
    since = world.profile.begins_at - timedelta(days=1)
    books = compare(world.store, world.cards, since, world.now + timedelta(days=1), world.now)
    wrong = [one for one in books.differences if one.stripe_id != FOREIGN_INTENT]
    if wrong or books.settled:
        raise Violation(3, f"the books differ: {wrong}, {books.settled} facts were missing")


def _check_payment(world: "World", payment: Payment) -> None:
    cards = world.cards
    refused = [one for one in payment.pending_refunds if one.refused]
    # Such an answer is a fault as well: the ten minutes begin when Stripe forgets it.
    held_up = any(
        cards.says_500(key, world.now - QUIET)
        for key in (payment.payment_id, f"{payment.payment_id}-confirm", *(one.refund_id for one in payment.refunds))
    )
    just_changed = payment.settle_due_at is not None and payment.settle_due_at > world.now + LOOK_AFTER - TICK
    if held_up or just_changed:
        return
    if payment.status is P.CANCELLING:
        raise Violation(12, f"{payment.payment_id} is still being cancelled")
    if len(refused) < len(payment.pending_refunds) or any(one.refused != "charge_disputed" for one in refused):
        raise Violation(12, f"{payment.payment_id} still waits for {payment.pending_refunds}")
    if payment.open and payment.off_session:
        raise Violation(12, f"{payment.payment_id} is still not charged")
    wanted = _wanted_payments(world, payment)
    if payment.open and not wanted:
        raise Violation(12, f"{payment.payment_id} is {payment.status}, and nobody waits for it")
    if payment.purpose in _FOR_A_STAY and payment.charged and not payment.refunded_minor:
        stay = world.store.get(Reservation, payment.user_id, payment.reservation_id or "")
        if stay is None or payment.payment_id not in stay.payment_ids:
            raise Violation(3, f"{payment.payment_id} was paid, and paid for nothing")


def _wanted_payments(world: "World", payment: Payment) -> bool:
    """Whether what the payment is for still waits for it: a deposit waits for an hour."""
    if payment.purpose is Purpose.DEPOSIT:
        return True
    stay = world.store.get(Reservation, payment.user_id, payment.reservation_id or "")
    return stay is not None and payment.payment_id in stay.awaited_payment_ids


def _check_debts(world: "World") -> None:
    """A debt is there exactly while an overstay is neither paid nor being charged."""
    for stay in world.store.reservations:
        wallet = world.store.get(Wallet, stay.user_id)
        owed = wallet is not None and any(debt.reservation_id == stay.reservation_id for debt in wallet.debts)
        unpaid = stay.overstay is not None and stay.overstay.payment_id is None
        trying = stay.overstay.card_payment_id if stay.overstay and unpaid else None
        tried = world.store.get(Payment, stay.user_id, trying) if trying else None
        charging = tried is not None and tried.off_session and (tried.open or tried.status is P.CANCELLING)
        if owed is not (unpaid and not charging):
            raise Violation(3, f"{stay.reservation_id}: {stay.overstay}, tried {tried}, and owed {owed}")
