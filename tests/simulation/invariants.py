"""The twelve invariants of the design (section 8), checked at every commit on what the commit touched."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from parking.domain.blocker import Blocker
from parking.domain.calendar import CalendarDay
from parking.domain.ids import CommandId, NotificationId, PaymentId, ReservationId, SpotId, UserId
from parking.domain.ledger import Transaction, Wallet
from parking.domain.notification import Notification, PushDevice
from parking.domain.payment import Payment
from parking.domain.reservation import Reservation, Step
from parking.domain.spot import Spot
from parking.services.ports import Key
from tests.simulation import check_blockers, check_money, check_notices, check_reservations, reference
from tests.simulation.violation import Violation
from tests.simulation.watched_store import Change

if TYPE_CHECKING:
    from tests.simulation.world import Invocation, World

STEP_OF = {
    "expire_holds": Step.RELEASE_HOLD,
    "check_expiring": Step.TELL_END,
    "auto_complete": Step.FINISH,
    "prepare_upcoming": Step.GUARD,
}


class Memory:
    """What the checks remember, beside the store, of all that was ever committed."""

    def __init__(self) -> None:
        self.stays: dict[SpotId, list[Key]] = defaultdict(list)
        self.balances: dict[UserId, int] = defaultdict(int)
        self.charged: dict[PaymentId, int] = defaultdict(int)
        self.refunded: dict[PaymentId, int] = defaultdict(int)
        self.paid_for: dict[tuple[ReservationId, str], PaymentId] = {}
        self.commands: set[CommandId] = set()
        self.made: dict[tuple[UserId, str, str], str] = {}
        self.makers: set[str] = set()
        self.told: set[tuple[str, ...]] = set()
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
        """Every reservation that the spot ever had."""
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


def _anything(_: Commit, __: Spot | PushDevice | None, ___: Spot | PushDevice) -> None:
    """Nothing is promised of these."""


CHECKS: dict[type[Any], Check] = {
    Reservation: check_reservations.check,
    CalendarDay: _calendar_day,
    Payment: check_money.check_payment,
    Transaction: check_money.check_transaction,
    Wallet: check_money.check_wallet,
    Blocker: check_blockers.check,
    Notification: check_notices.check,
    Spot: _anything,
    PushDevice: _anything,
}
# What a later check reads of the memory is written by an earlier one: transactions before payments and wallets.
ORDER = [Transaction, Payment, Wallet, CalendarDay, Reservation, Blocker, Notification, Spot, PushDevice]
_RANK = {kind: rank for rank, kind in enumerate(ORDER)}


class Invariants:
    """The checks of one world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.memory = Memory()

    def committed(self, changes: list[Change]) -> None:
        """Raises Violation."""
        for before, after in changes:
            if before is None and isinstance(after, Reservation):
                self.memory.stays[after.spot_id].append(after.key)
        commit = Commit(self._world, self.memory, changes)
        for before, after in sorted(changes, key=_rank):
            self._world.say("    writes {} {} v{}", type(after).__name__, after.key, after.version)
            CHECKS[type(after)](commit, before, after)
        check_money.check_books(commit)

    def ticked(self, schedule: str, at: datetime) -> None:
        """A schedule has run undisturbed: nothing of its step may still be due at its time."""
        step = STEP_OF[schedule]
        for reservation in self._world.store.reservations:
            due = reference.due(reservation)
            if due and due[1] is step and due[0] <= at:
                raise Violation(10, f"{schedule} of {at} left {reservation.reservation_id} due since {due[0]}")

    def knocked(self, notification: Notification) -> None:
        """The push function has done its part for a notice."""
        self.memory.knocked.add(notification.notification_id)


def _rank(change: Change) -> int:
    return _RANK[type(change[1])]
