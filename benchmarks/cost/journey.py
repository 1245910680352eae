"""One driver's journey through the real Lambda handlers, DynamoDB on MiniStack; IoT, SNS and Stripe are our twins.

A booking an hour ahead for two hours at a spot without neighbours: reserve, pay, the barrier rises, arrive, the car is
seen, the notice before the end, perhaps half an hour more, and the end. Schedules tick in the minutes in which
something is due. What this one journey does not cause (ticks that find nothing, heartbeats) is left out.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from benchmarks.cost.capacity import Capacity, Line
from parking.adapters.dynamodb.schema import shape_of, table_names
from parking.adapters.dynamodb.store import DynamoStore
from parking.adapters.entry_codes import DerivedEntryCodes
from parking.adapters.memory.cards import MemoryCards
from parking.adapters.memory.iot import MemoryShadows, MemoryThings
from parking.adapters.memory.logins import MemoryLogins
from parking.adapters.memory.push import MemoryPush
from parking.domain.blocker import Occupancy, Position, Result
from parking.domain.ids import ExtensionId, PaymentId, UserId
from parking.domain.ledger import STRIPE, WALLET, TransactionKind, Wallet, moved, record
from parking.domain.notification import Notification, Platform
from parking.domain.payment import Payment
from parking.domain.reservation import Reservation, ReservationStatus
from tests.builders import NOW, a_blocker, a_push_device, a_spot, an_endpoint_owner
from tests.contract.emulators import create_tables
from tests.simulation import api_calls, card_calls, doors, handlers

FOR_ALL = ("Query due", "Query by_health")  # what a schedule asks each minute, whoever is on the way
US = "the benchmark's own look"
START, END, LONGER = 60, 180, 210  # minutes after NOW
STREAMS = {
    Reservation: ("reservation changed", "blockers.on_reservation_change"),
    Payment: ("payment changed", "payments.settle_refunds"),
    Notification: ("notice made", "notifications.push"),
}
SCHEDULES = {
    "expire_holds": "reservations.expire_holds",
    "prepare_upcoming": "reservations.prepare_upcoming",
    "check_expiring": "reservations.check_expiring",
    "auto_complete": "reservations.auto_complete",
    "settle_due": "payments.settle_due",
    "check_health": "blockers.check_health",
}


@dataclass(slots=True)
class Bill:
    """What the journey has used. Schedules run for everybody, so their invocations and index queries are not in it."""

    lines: list[Line] = field(default_factory=list)
    invocations: Counter[str] = field(default_factory=Counter)
    cpu_ms: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def writes(self) -> float:
        return sum(line.writes for line in self.lines)

    @property
    def reads(self) -> float:
        return sum(line.reads for line in self.lines)


class _Counted:
    """An adapter whose calls are counted."""

    def __init__(self, name: str, adapter: Any, calls: Counter[str]) -> None:
        self._name, self._adapter, self._calls = name, adapter, calls

    def __getattr__(self, call: str) -> Any:
        self._calls[f"{self._name}.{call}"] += 1
        return getattr(self._adapter, call)


class Journey:
    """One spot, one driver with a phone and money, and everything that happens between them."""

    def __init__(self) -> None:
        tables = create_tables()
        self._names = {name: kind for kind, name in table_names(tables).items()}
        self._store, self._capacity, self.bill = DynamoStore(tables), Capacity(), Bill()
        self._capacity.watch(self._store._connection.client)
        self._shadows, self._cards, push = MemoryShadows(), MemoryCards(), MemoryPush()
        calls = self.bill.calls
        handlers.wire(
            doors.Ports(
                self._store,
                _Counted("iot", self._shadows, calls),
                _Counted("stripe", self._cards, calls),
                _Counted("sns", push, calls),
                MemoryThings(),
                DerivedEntryCodes({"present": "master"}),
                MemoryLogins(),
                lambda _: None,
            )
        )
        self._driver = UserId("3f0f6a52-8d3c-4d3c-9f1f-0b8f4c1c7a11")
        self._now, self._obeyed = NOW, ""
        self._prepare(push)

    def _prepare(self, push: MemoryPush) -> None:
        """What was there before: a driver who has used the system, a blocker that has worked for a while."""
        spot = a_spot()
        self._spot, self._blocker_id = spot, spot.blocker_id
        self._store.commit(
            spot, a_blocker(blocker_id=spot.blocker_id, spot_id=spot.spot_id, report=None, shadow_version=0)
        )
        deposit = record(
            TransactionKind.DEPOSIT,
            user_id=self._driver,
            payment_id=PaymentId("pay_deposit"),
            reservation_id=None,
            entries=moved(10_000, debit=STRIPE, credit=WALLET),
            currency="EUR",
            now=NOW,
        )
        self._store.commit(deposit, Wallet(user_id=self._driver, currency="EUR").after(deposit))
        phone = a_push_device(user_id=self._driver, endpoint=push.register("phone", Platform.FCM, "token"))
        self._store.commit(phone)
        self._store.commit(an_endpoint_owner(endpoint=phone.endpoint, user_id=self._driver, device_id=phone.device_id))
        self._reports()
        self._minute(0)
        self._forget()

    def _forget(self) -> None:
        self._capacity.lines.clear()
        for counted in (self.bill.invocations, self.bill.cpu_ms, self.bill.calls):
            counted.clear()

    # -- what is measured

    def play(self, *, card: bool, extended: bool) -> Bill:
        """The whole journey. Raises RuntimeError if it does not end as it should."""
        stay = self._reserved()
        self._paid(stay, None, card)
        self._heartbeat(START - 16)
        self._minutes(START - 16, START - 12)
        self._heartbeat(START - 1)
        self._minute(START)
        self._asks("reservations.api", api_calls.arrive(self._driver, stay.reservation_id))
        self._obeys()
        self._at(START + 1)
        self._reports(Position.LOWERED, Occupancy.OCCUPIED)
        self._minutes(START + 1, START + 3)
        self._heartbeat(END - 31, Occupancy.OCCUPIED)
        self._minutes(END - 31, END - 28)
        end = END
        if extended:
            until, end = NOW + timedelta(minutes=LONGER), LONGER
            option = self._asks(
                "reservations.api", api_calls.extend(self._driver, "longer", stay.reservation_id, until)
            )
            self._paid(stay, option.extension_id, card)
            self._minutes(LONGER - 31, LONGER - 28)
        self._heartbeat(end - 2, Occupancy.OCCUPIED)
        self._minute(end - 1)
        self._reports()
        self._minutes(end, end + 2)
        self._capacity.function = US
        ended = self._store.get(Reservation, self._driver, stay.reservation_id)
        if ended is None or ended.status is not ReservationStatus.COMPLETED or self.bill.calls["sns.publish"] < 3:  # noqa: PLR2004  # paid, ending, ended
            raise RuntimeError(f"the journey ended as {ended}, {self.bill.calls}")
        lines = self._capacity.lines
        self.bill.lines = [line for line in lines if line.function != US and line.call not in FOR_ALL]
        return self.bill

    def named(self, line: Line) -> str:
        """The aggregate that a line is about."""
        return self._names[line.table].__name__

    def _reserved(self) -> Any:
        starts_at, ends_at = NOW + timedelta(minutes=START), NOW + timedelta(minutes=END)
        call = api_calls.reserve(self._driver, "stay", self._spot.spot_id, starts_at, ends_at, 480)
        return self._asks("reservations.api", call)

    def _paid(self, stay: Any, extension_id: ExtensionId | None, card: bool) -> None:
        key = f"pay-{extension_id}"
        if not card:
            self._asks("payments.api", api_calls.pay(self._driver, key, stay.reservation_id, extension_id))
            return
        call = card_calls.pay_by_card(self._driver, key, stay.reservation_id, extension_id, None)
        started = self._asks("payments.api", call)
        self._capacity.function = US
        payment = self._store.get(Payment, self._driver, started.payment_id)
        if payment is None or payment.intent_id is None:
            raise RuntimeError(f"no intent to pay: {payment}")
        self._cards.pay(payment.intent_id)
        told = ("payment_intent.succeeded", payment.intent_id)
        self._invoke("payments.stripe_webhook", lambda: handlers.handle("webhook", told, self._now))

    def _asks(self, function: str, call: Any) -> Any:
        return self._invoke(function, lambda: handlers.answer(call, self._now))

    def _obeys(self) -> None:
        """The device says that it moves, and then that it is there."""
        command = self._shadows.desired(self._blocker_id)
        if command is None or command.command_id == self._obeyed:
            return
        self._obeyed = command.command_id
        self._reports(Position.MOVING, command_id=command.command_id)
        self._now += timedelta(seconds=8)
        self._reports(command.position, command_id=command.command_id, result=Result.DONE)

    def _reports(self, position: Position | None = None, occupancy: Occupancy = Occupancy.VACANT, **said: Any) -> None:
        known = self._shadows.get(self._blocker_id)
        position = position or (known.report.position if known and known.report else Position.LOWERED)
        whole = {"position": position, "occupancy": occupancy, "battery_percent": 90, "firmware": "1.0.0"} | said
        document = self._shadows.report(self._blocker_id, whole, self._now)
        heard = doors.Heard(self._blocker_id, document, news=True)
        self._invoke("blockers.on_shadow_update", lambda: handlers.handle("shadow updated", heard, self._now))

    # -- time, streams and schedules

    def _at(self, minute: float) -> None:
        self._now = max(self._now, NOW + timedelta(minutes=minute))

    def _minutes(self, first: int, last: int) -> None:
        for minute in range(first, last):
            self._minute(minute)
            self._obeys()

    def _minute(self, minute: int) -> None:
        self._at(minute)
        for schedule, function in SCHEDULES.items():
            self._invoke(function, partial(handlers.handle, "tick", schedule, self._now), free=True)

    def _heartbeat(self, minute: int, occupancy: Occupancy = Occupancy.VACANT) -> None:
        """What a blocker says every five minutes anyway, with all that follows from it."""
        self._at(minute)
        before = len(self._capacity.lines), self.bill.invocations.copy(), self.bill.cpu_ms.copy()
        self._reports(occupancy=occupancy)
        del self._capacity.lines[before[0] :]
        self.bill.invocations, self.bill.cpu_ms = before[1:]

    def _invoke(self, function: str, run: Callable[[], Any], *, free: bool = False) -> Any:
        with self._measured(function, free=free):
            answer = run()
        while self._capacity.written:
            self._streamed(*self._capacity.written.pop(0))
        return answer

    def _streamed(self, table: str, before: dict[str, Any] | None, image: dict[str, Any]) -> None:
        kind = self._names[table]
        if kind not in STREAMS or (kind is Notification and image["version"] != {"N": "1"}):
            return
        event, function = STREAMS[kind]
        payload = shape_of(kind).aggregate(image)
        if kind is Reservation:
            payload = (shape_of(kind).aggregate(before) if before else None, payload)
        at = self._now.replace(microsecond=0)
        with self._measured(function):
            handlers.handle(event, payload, at)

    @contextmanager
    def _measured(self, function: str, *, free: bool = False) -> Iterator[None]:
        self._capacity.function = function
        began = time.process_time()
        yield
        used_ms = (time.process_time() - began) * 1000
        if not free:
            self.bill.invocations[function] += 1
            self.bill.cpu_ms[function] += used_ms
