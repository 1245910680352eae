"""The twelve invariants of the design (section 8), checked at every commit on what the commit touched."""

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from parking.domain.audit import AuditEntry
from parking.domain.blocker import Blocker, Command, CommandStatus, Connectivity, Occupancy, Position
from parking.domain.calendar import CalendarDay
from parking.domain.customer import Customer
from parking.domain.due import Step
from parking.domain.ids import BlockerId, CommandId, NotificationId, PaymentId, ReservationId, SpotId, UserId
from parking.domain.ledger import Transaction, Wallet
from parking.domain.notification import EndpointOwner, Notification, PushDevice
from parking.domain.payment import Payment
from parking.domain.preferences import NotificationPreferences
from parking.domain.reservation import Reservation, ReservationStatus
from parking.domain.spot import Spot
from parking.services.ports import Aggregate, Key
from parking.services.watching import Change as HealthChange
from tests.simulation import (
    check_blockers,
    check_guard,
    check_money,
    check_notices,
    check_reservations,
    check_service,
    check_waiting,
    check_watching,
    reference,
)
from tests.simulation.doors import Presence
from tests.simulation.violation import Violation
from tests.simulation.watched_store import Change

if TYPE_CHECKING:
    from tests.simulation.world import Invocation, World

STEP_OF = {
    "expire_holds": Step.RELEASE_HOLD,
    "check_expiring": Step.TELL_END,
    "auto_complete": Step.FINISH,
    "prepare_upcoming": Step.GUARD,
    "settle_due": Step.SETTLE,
    "check_health": Step.WATCH,
    "erase_accounts": Step.ERASE,
}


class Memory:
    """What the checks remember, beside the store, of all that was ever committed."""

    def __init__(self) -> None:
        self.stays: dict[SpotId, list[Key]] = defaultdict(list)
        self.balances: dict[UserId, int] = defaultdict(int)
        self.withdrawn: dict[tuple[UserId, date], int] = defaultdict(int)
        self.accounts: dict[tuple[PaymentId, str], int] = defaultdict(int)
        """What the ledger says of each payment, by account."""
        self.paid_for: dict[tuple[ReservationId, str], PaymentId] = {}
        self.commands: set[CommandId] = set()
        self.made: dict[tuple[UserId, str, str], str] = {}
        self.makers: set[str] = set()
        self.moved_at: dict[SpotId, datetime] = {}
        self.looked_at: list[Key] = []
        """The stays whose guard the running schedule has looked at."""
        self.presence: dict[BlockerId, Presence] = {}
        self.told: set[tuple[str, ...]] = set()
        self.alarms: set[tuple[object, ...]] = set()
        """What operators were told of: a stay's failures, a blocker's health."""
        self.knocked: set[NotificationId] = set()


class Commit:
    """One commit as the checks see it: `now` is the time of the event that led to it."""

    def __init__(self, world: "World", memory: Memory, changes: list[Change]) -> None:
        self.world = world
        self.memory = memory
        self.now: datetime = world.invocation.now if world.invocation else world.now
        self.invocation: Invocation | None = world.invocation
        self.changes = changes

    def new[A](self, kind: type[A]) -> list[A]:
        """The items of a kind as they are now."""
        return [after for _, after in self.changes if isinstance(after, kind)]

    def at_spot(self, spot_id: SpotId) -> list[Reservation]:
        """Every reservation that the spot ever had, but those that have moved to another one."""
        return self.world.reservations_at(spot_id)

    def made(self, item_id: str) -> None:
        """One Idempotency-Key makes one item at most, and no two keys the same. Raises Violation."""
        at_work = self.invocation
        if at_work is None or at_work.user_id is None or not at_work.key:
            raise Violation(4, f"{item_id} was made without an Idempotency-Key")
        asked = (at_work.user_id, at_work.name, at_work.key)
        if self.memory.made.setdefault(asked, item_id) != item_id or item_id in self.memory.makers:
            raise Violation(4, f"{asked} made {item_id}, besides {self.memory.made[asked]}")
        self.memory.makers.add(item_id)
        self.world.bodies.setdefault(asked, at_work.event)

    def by(self, name: str, user_id: UserId | None = None) -> bool:
        """Whether this function, called by this driver, is at work."""
        at_work = self.invocation
        return at_work is not None and at_work.name == name and at_work.user_id == user_id

    def covered(self, name: str) -> None:
        """A transition was reached."""
        self.world.coverage.transition(name)


Check = Callable[[Commit, Any, Any], None]


def _calendar_day(_: Commit, __: CalendarDay | None, after: CalendarDay) -> None:
    if reference.days_collide(after):
        raise Violation(1, f"claims overlap at {after.spot_id} on {after.day}: {after.claims}")


def _anything(_: Commit, __: Aggregate | None, ___: Aggregate) -> None:
    """Nothing is promised of these."""


def _spot(commit: Commit, before: Spot | None, after: Spot) -> None:
    if before is None or after.service_state is before.service_state:
        return
    if not commit.new(AuditEntry):
        raise Violation(6, f"nobody says why {after.spot_id} is {after.service_state}")
    commit.covered(f"spot {before.service_state} → {after.service_state}")


def _audit(_: Commit, before: AuditEntry | None, after: AuditEntry) -> None:
    if before is not None:
        raise Violation(6, f"what an operator did was written anew: {after.key}")


CHECKS: dict[type[Any], Check] = {
    Reservation: check_reservations.check,
    CalendarDay: _calendar_day,
    Payment: check_money.check_payment,
    Transaction: check_money.check_transaction,
    Wallet: check_money.check_wallet,
    Blocker: check_blockers.check,
    Notification: check_notices.check,
    Customer: check_money.check_customer,
    Spot: _spot,
    PushDevice: _anything,
    EndpointOwner: _anything,
    NotificationPreferences: _anything,
    AuditEntry: _audit,
}
# What a later check reads of the memory is written by an earlier one: transactions before payments and wallets.
ORDER = [
    Transaction,
    Payment,
    Wallet,
    Customer,
    CalendarDay,
    Reservation,
    Blocker,
    Notification,
    Spot,
    PushDevice,
    AuditEntry,
]
_RANK = {kind: rank for rank, kind in enumerate(ORDER)}


class Invariants:
    """The checks of one world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.memory = Memory()

    def committed(self, changes: list[Change]) -> None:
        """Raises Violation."""
        for _, after in changes:
            if isinstance(after, Reservation) and after.key not in self.memory.stays[after.spot_id]:
                self.memory.stays[after.spot_id].append(after.key)
        commit = Commit(self._world, self.memory, changes)
        for before, after in sorted(changes, key=_rank):
            self._world.say("    writes {} {} {}", type(after).__name__, "/".join(after.key), _state(after))
            CHECKS[type(after)](commit, before, after)
        check_money.check_books(commit)

    def alarmed(self, fact: Reservation | HealthChange) -> None:
        """Operators are told of something, ahead of the commit that says so."""
        if isinstance(fact, Reservation):
            self.memory.alarms.add((fact.key, fact.arrival_failed_at, fact.guard_failed_at))
        else:
            watch = fact.blocker.watch
            self.memory.alarms.add((fact.blocker.key, watch.health, watch.conditions))

    def ticked(self, schedule: str, at: datetime) -> None:
        """A schedule has run undisturbed: nothing of its step may still be due at its time."""
        step = STEP_OF[schedule]
        # That the index shows exactly what is outstanding is checked with each commit.
        if left := self._world.store.first_due(step, at):
            raise Violation(10, f"{schedule} of {at} left {left.key[-1]} due since {left.at}")
        if step is Step.GUARD:
            self.guarded(at)
        self.idled(schedule, at)

    def idled(self, schedule: str, at: datetime) -> None:
        """Nothing is due of its step: whoever had to be told was told."""
        prompt = self._world.now < at + timedelta(seconds=1)  # a late tick does not know what has come since
        match STEP_OF[schedule]:
            case Step.TELL_END if prompt:
                check_waiting.all_told_of_who_is_next(self._world, self.memory.told, at)
            case Step.FINISH if prompt:
                check_waiting.all_who_wait_are_told(self._world, at)
            case Step.WATCH:
                check_watching.ticked(self._world, at)

    def guarded(self, at: datetime) -> None:
        """The guard has run undisturbed: each stay that it looks after has its blocker told, where that is possible."""
        looked_at, self.memory.looked_at = self._world.store.get_many(Reservation, self.memory.looked_at), []
        check_guard.all_told(self._world, looked_at, at)
        check_service.all_told(self._world, looked_at, at)
        for stay in looked_at:
            if stay.status is not ReservationStatus.CONFIRMED or stay.arrival_requested_at:
                continue
            blocker = self._world.store.get(Blocker, stay.blocker_id)
            if blocker is None or at >= stay.ends_at or at < reference.blocker_time(blocker, at):
                continue
            others = self._world.reservations_at(stay.spot_id)
            wish = reference.wanted(blocker, Position.LOWERED, others, at)
            may = reference.seen(blocker, at) is Occupancy.VACANT
            command = blocker.command
            told = command is not None and command.reservation_id == stay.reservation_id
            former = next((one for one in others if command and one.reservation_id == command.reservation_id), None)
            if former and former.ended_at and former.ended_at >= at:  # by this very run: its event tells the blocker
                continue
            if wish.reservation_id == stay.reservation_id and may and not told and blocker.position != wish.position:
                raise Violation(5, f"{stay.reservation_id} begins soon, and {blocker.blocker_id} is not told")

    def reconciled(self, blocker_id: BlockerId, now: datetime) -> None:
        """A trigger was handled undisturbed: an open command that the device has not named is in its shadow."""
        blocker = self._world.store.get(Blocker, blocker_id)
        told = blocker.command if blocker else None
        if blocker is None or told is None or told.status is not CommandStatus.PENDING or blocker.acknowledged:
            return
        at = reference.blocker_time(blocker, now)
        unsafe = told.position is Position.RAISED and reference.seen(blocker, at) is not Occupancy.VACANT
        sent = self._world.shadows.desired(blocker_id)
        if not unsafe and (sent is None or sent.command_id != told.command_id):
            raise Violation(12, f"{told.command_id} is open, and {blocker_id} will never hear of it")

    def seen(self, presence: Presence) -> None:
        """A lifecycle event has been handled."""
        newest = self.memory.presence.get(presence.blocker_id, presence)
        newer = (presence.version, presence.connectivity is Connectivity.OFFLINE)
        if newer >= (newest.version, newest.connectivity is Connectivity.OFFLINE):
            self.memory.presence[presence.blocker_id] = presence

    def knocked(self, notification: Notification) -> None:
        """The push function has done its part for a notice."""
        self.memory.knocked.add(notification.notification_id)


def _state(item: Aggregate) -> str:
    """What a reader of the trace wants to know of it."""
    match item:
        case Reservation() | Payment():
            return item.status
        case Blocker(command=Command(position=position, status=status)):
            return f"{position} {status}"
        case Notification():
            return item.kind
        case Wallet():
            return str(item.balance_minor)
        case _:
            return ""


def _rank(change: Change) -> int:
    return _RANK.get(type(change[1]), len(ORDER))
