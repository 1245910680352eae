"""The ports with the fault layer in front of the in-memory twins."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from parking.adapters.memory.iot import MemoryShadows, MemoryThings
from parking.adapters.memory.logins import MemoryLogins
from parking.adapters.memory.push import MemoryPush
from parking.domain.area import Area, Rank
from parking.domain.audit import AuditEntry
from parking.domain.blocker import Command
from parking.domain.calendar import Calendar
from parking.domain.due import Step
from parking.domain.health import Health
from parking.domain.ids import BlockerId, SpotId, UserId
from parking.domain.ledger import Transaction
from parking.domain.notification import Platform, PushDevice
from parking.domain.payment import Payment, Refund
from parking.domain.spot import Spot
from parking.services.ports import (
    Aggregate,
    CardDispute,
    CardRefund,
    CardSetup,
    Certificate,
    DueItem,
    Erasable,
    Intent,
    Key,
    Page,
    PushMessage,
    ShadowDocument,
)
from tests.simulation.faults import AFTER, Fault, FaultPlan, error_of
from tests.simulation.stripe import SimulatedCards
from tests.simulation.watched_store import IndexedStore

if TYPE_CHECKING:
    from tests.simulation.world import World


class _Faulty:
    """A port whose calls may go wrong."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._faults: FaultPlan = world.faults

    def _strike[T](self, fault: Fault, call: str, act: Callable[[], T]) -> T:
        self._world.say("    ! {} at {}", fault, call)
        if fault is Fault.RACE:
            self._world.race()
            return act()
        if fault in AFTER:
            act()
        raise error_of(call, fault)


class FaultyStore(_Faulty):
    """Store."""

    def __init__(self, world: "World", inner: IndexedStore) -> None:
        super().__init__(world)
        self._inner = inner

    def get[A: Aggregate](self, kind: type[A], *key: str) -> A | None:
        """See Store."""
        fault = self._faults.next("store.get")
        if fault is None:
            return self._inner.get(kind, *key)
        return self._strike(fault, "store.get", lambda: self._inner.get(kind, *key))

    def get_many[A: Aggregate](self, kind: type[A], keys: Sequence[Key]) -> list[A]:
        """See Store."""
        fault = self._faults.next("store.get_many")
        if fault is None:
            return self._inner.get_many(kind, keys)
        return self._strike(fault, "store.get_many", lambda: self._inner.get_many(kind, keys))

    def calendar(self, spot_id: SpotId, days: Sequence[date]) -> Calendar:
        """See Store."""
        fault = self._faults.next("store.calendar")
        if fault is None:
            return self._inner.calendar(spot_id, days)
        return self._strike(fault, "store.calendar", lambda: self._inner.calendar(spot_id, days))

    def page[A: Aggregate](
        self,
        kind: type[A],
        user_id: UserId,
        *,
        limit: int,
        cursor: str | None = None,
        status: str | None = None,
        unread: bool = False,
    ) -> Page[A]:
        """See Store."""

        def page() -> Page[A]:
            return self._inner.page(kind, user_id, limit=limit, cursor=cursor, status=status, unread=unread)

        fault = self._faults.next("store.page")
        return page() if fault is None else self._strike(fault, "store.page", page)

    def push_devices(self, user_id: UserId) -> list[PushDevice]:
        """See Store."""
        fault = self._faults.next("store.push_devices")
        if fault is None:
            return self._inner.push_devices(user_id)
        return self._strike(fault, "store.push_devices", lambda: self._inner.push_devices(user_id))

    def audit(self, blocker_id: BlockerId, limit: int) -> list[AuditEntry]:
        """See Store. Only the operators' report asks, which changes nothing and which nobody here reads."""
        return self._inner.audit(blocker_id, limit)

    def spots_near(self, area: Area, after: Rank | None = None) -> Iterator[Spot]:
        """See Store."""
        fault = self._faults.next("store.spots_near")
        if fault is None:
            return self._inner.spots_near(area, after)
        return self._strike(fault, "store.spots_near", lambda: self._inner.spots_near(area, after))

    def stripe_transactions(self, day: date) -> Iterator[Transaction]:
        """See Store."""
        fault = self._faults.next("store.stripe_transactions")
        if fault is None:
            return self._inner.stripe_transactions(day)
        return self._strike(fault, "store.stripe_transactions", lambda: self._inner.stripe_transactions(day))

    def due(self, step: Step, now: datetime) -> Iterator[list[DueItem]]:
        """See Store. A stale index still shows what it showed at the last look."""
        fault = self._faults.next("store.due")
        if fault is None:
            return self._inner.due(step, now)
        if fault is Fault.STALE_INDEX:
            self._world.say("    ! {} at store.due", fault)
            return self._inner.stale_due(step)
        return self._strike(fault, "store.due", lambda: self._inner.due(step, now))

    def blockers_by_health(self) -> Counter[Health]:
        """See Store."""
        fault = self._faults.next("store.blockers_by_health")
        if fault is None:
            return self._inner.blockers_by_health()
        return self._strike(fault, "store.blockers_by_health", self._inner.blockers_by_health)

    def commit(self, *saves: Aggregate, unchanged: Sequence[Aggregate] = ()) -> None:
        """See Store."""
        fault = self._faults.next("store.commit")
        if fault is None:
            return self._inner.commit(*saves, unchanged=unchanged)
        return self._strike(fault, "store.commit", lambda: self._inner.commit(*saves, unchanged=unchanged))

    def forget(self, item: Erasable) -> None:
        """See Store."""
        fault = self._faults.next("store.forget")
        if fault is None:
            return self._inner.forget(item)
        return self._strike(fault, "store.forget", lambda: self._inner.forget(item))


class FaultyShadows(_Faulty):
    """Shadows."""

    def __init__(self, world: "World", inner: MemoryShadows) -> None:
        super().__init__(world)
        self._inner = inner

    def get(self, blocker_id: BlockerId) -> ShadowDocument | None:
        """See Shadows."""
        fault = self._faults.next("shadows.get")
        if fault is None:
            return self._inner.get(blocker_id)
        return self._strike(fault, "shadows.get", lambda: self._inner.get(blocker_id))

    def desire(self, blocker_id: BlockerId, command: Command, version: int) -> None:
        """See Shadows."""

        def desire() -> None:
            self._inner.desire(blocker_id, command, version)
            self._world.desired(blocker_id, command)

        fault = self._faults.next("shadows.desire")
        return desire() if fault is None else self._strike(fault, "shadows.desire", desire)


class FaultyCards(_Faulty):
    """CardGateway. What Stripe does it also tells, by webhook."""

    def __init__(self, world: "World", inner: SimulatedCards) -> None:
        super().__init__(world)
        self._inner = inner

    def create_customer(self, user_id: UserId) -> str:
        """See CardGateway."""
        return self._call("create_customer", lambda: self._inner.create_customer(user_id))

    def create_setup(self, customer_id: str, user_id: UserId, idempotency_key: str) -> CardSetup:
        """See CardGateway."""
        return self._call("create_setup", lambda: self._inner.create_setup(customer_id, user_id, idempotency_key))

    def setup(self, setup_id: str, now: datetime) -> CardSetup:
        """See CardGateway."""
        return self._call("setup", lambda: self._inner.setup(setup_id, now))

    def detach(self, payment_method_id: str) -> None:
        """See CardGateway."""
        self._call("detach", lambda: self._inner.detach(payment_method_id))

    def delete_customer(self, customer_id: str) -> None:
        """See CardGateway."""
        self._call("delete_customer", lambda: self._inner.delete_customer(customer_id))

    def create_intent(self, payment: Payment) -> Intent:
        """See CardGateway."""
        return self._call("create_intent", lambda: self._inner.create_intent(payment), key=payment.payment_id)

    def confirm_intent(self, payment: Payment, intent_id: str, *, off_session: bool) -> Intent:
        """See CardGateway."""

        def confirm() -> Intent:
            before = self._inner.intent(intent_id)
            after = self._inner.confirm_intent(payment, intent_id, off_session=off_session)
            return self._told(before, after)

        return self._call("confirm_intent", confirm, key=f"{payment.payment_id}-confirm")

    def cancel_intent(self, intent_id: str) -> Intent:
        """See CardGateway."""

        def cancel() -> Intent:
            before = self._inner.intent(intent_id)
            return self._told(before, self._inner.cancel_intent(intent_id))

        return self._call("cancel_intent", cancel)

    def intent(self, intent_id: str) -> Intent:
        """See CardGateway."""
        return self._call("intent", lambda: self._inner.intent(intent_id))

    def create_refund(self, holder: Payment, refund: Refund) -> CardRefund:
        """See CardGateway."""

        def create() -> CardRefund:
            if self._inner.breaks_refunds:
                self._inner.store_500(refund.refund_id, self._world.now)
                self._inner.check_stored(refund.refund_id, self._world.now)
            known = len(self._inner.all_refunds)
            made = self._inner.create_refund(holder, refund)
            if len(self._inner.all_refunds) > known:
                self._world.emit("webhook", ("refund.created", made.stripe_id), self._world.now)
            return made

        return self._call("create_refund", create, key=refund.refund_id)

    def refund(self, stripe_id: str) -> CardRefund:
        """See CardGateway."""
        return self._call("refund", lambda: self._inner.refund(stripe_id))

    def refunds_of(self, intent_id: str) -> list[CardRefund]:
        """See CardGateway."""
        return self._call("refunds_of", lambda: self._inner.refunds_of(intent_id))

    def dispute(self, stripe_id: str) -> CardDispute:
        """See CardGateway."""
        return self._call("dispute", lambda: self._inner.dispute(stripe_id))

    def intents_between(self, since: datetime, until: datetime) -> Iterator[Intent]:
        """See CardGateway."""
        return self._call("lists", lambda: self._inner.intents_between(since, until))

    def refunds_between(self, since: datetime, until: datetime) -> Iterator[CardRefund]:
        """See CardGateway."""
        return self._call("lists", lambda: self._inner.refunds_between(since, until))

    def disputes_between(self, since: datetime, until: datetime) -> Iterator[CardDispute]:
        """See CardGateway."""
        return self._call("lists", lambda: self._inner.disputes_between(since, until))

    def _call[T](self, name: str, act: Callable[[], T], *, key: str = "") -> T:
        """A call to Stripe; one with an idempotency key may have got a 500 that Stripe repeats for a day."""

        def stored_or_act() -> T:
            if key:
                self._inner.check_stored(key, self._world.now)
            return act()

        fault = self._faults.next(f"cards.{name}")
        if fault is None:
            return stored_or_act()
        if fault is Fault.STORED_500:
            self._inner.store_500(key, self._world.now)
        return self._strike(fault, f"cards.{name}", stored_or_act)

    def _told(self, before: Intent, after: Intent) -> Intent:
        if before.status != after.status:
            self._world.emit("webhook", (f"payment_intent.{after.status}", after.intent_id), self._world.now)
        return after


class FaultyPush(_Faulty):
    """Push."""

    def __init__(self, world: "World", inner: MemoryPush) -> None:
        super().__init__(world)
        self._inner = inner

    def register(self, device_id: str, platform: Platform, token: str) -> str | None:
        """See Push."""
        fault = self._faults.next("push.register")
        if fault is None:
            return self._inner.register(device_id, platform, token)
        return self._strike(fault, "push.register", lambda: self._inner.register(device_id, platform, token))

    def remove(self, endpoint: str) -> None:
        """See Push."""
        fault = self._faults.next("push.remove")
        if fault is None:
            return self._inner.remove(endpoint)
        return self._strike(fault, "push.remove", lambda: self._inner.remove(endpoint))

    def publish(self, endpoint: str, platform: Platform, message: PushMessage) -> None:
        """See Push."""
        fault = self._faults.next("push.publish")
        if fault is None:
            return self._reach(endpoint, platform, message)
        if fault is Fault.ENDPOINT_GONE:
            self._inner.disable(endpoint)
            self._world.phones.registered(endpoint, None, self._world.phones.clock)
        return self._strike(fault, "push.publish", lambda: self._reach(endpoint, platform, message))

    def _reach(self, endpoint: str, platform: Platform, message: PushMessage) -> None:
        self._inner.publish(endpoint, platform, message)
        self._world.phones.pushed(endpoint)


class FaultyLogins(_Faulty):
    """Logins."""

    def __init__(self, world: "World", inner: MemoryLogins) -> None:
        super().__init__(world)
        self._inner = inner

    def delete(self, user_id: UserId) -> None:
        """See Logins."""

        def delete() -> None:
            self._inner.delete(user_id)
            self._world.logged_out.setdefault(user_id, self._world.now)

        fault = self._faults.next("logins.delete")
        return delete() if fault is None else self._strike(fault, "logins.delete", delete)


class FaultyThings(_Faulty):
    """Things."""

    def __init__(self, world: "World", inner: MemoryThings) -> None:
        super().__init__(world)
        self._inner = inner

    def register(self, blocker_id: BlockerId) -> Certificate:
        """See Things."""
        fault = self._faults.next("things.register")
        if fault is None:
            return self._inner.register(blocker_id)
        return self._strike(fault, "things.register", lambda: self._inner.register(blocker_id))

    def issue(self, blocker_id: BlockerId) -> Certificate:
        """See Things. No operator of the simulation renews a certificate beside another."""
        return self._inner.issue(blocker_id)

    def keep_only(self, blocker_id: BlockerId, certificate_id: str) -> None:
        """See Things."""
        self._inner.keep_only(blocker_id, certificate_id)

    def cut_off(self, blocker_id: BlockerId) -> bool:
        """See Things."""
        return self._inner.cut_off(blocker_id)
