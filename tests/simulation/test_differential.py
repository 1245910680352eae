"""10,000 random operations on the in-memory store and on DynamoDB (MiniStack): the same answers, the same refusals."""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest

from parking.adapters.dynamodb.store import DynamoStore
from parking.adapters.memory.store import MemoryStore
from parking.domain.area import Circle
from parking.domain.blocker import Blocker
from parking.domain.calendar import CalendarDay
from parking.domain.customer import Customer
from parking.domain.due import Step
from parking.domain.ids import (
    BlockerId,
    DeviceId,
    NotificationId,
    PaymentId,
    ReservationId,
    SpotId,
    TransactionId,
    UserId,
    timed_id,
)
from parking.domain.ledger import DayTotal, Debt, Deposited, Transaction, Wallet
from parking.domain.notification import EndpointOwner, Notification, PushDevice
from parking.domain.payment import Dispute, DisputeStatus, Payment, PaymentStatus, RefundStatus
from parking.domain.reservation import Reservation, ReservationStatus
from parking.domain.spot import Location, Spot
from parking.services.ports import Aggregate, Conflict, InvalidCursor, Page, Store
from tests.builders import (
    NOW,
    a_blocker,
    a_calendar_day,
    a_claim,
    a_customer,
    a_notification,
    a_payment,
    a_payment_method,
    a_push_device,
    a_refund,
    a_reservation,
    a_spot,
    a_transaction,
    a_wallet,
    an_endpoint_owner,
    an_interval,
)
from tests.contract.emulators import create_tables, running_aws

OPERATIONS = 10_000
STREAMS = 4
"""Independent streams with tables of their own, side by side, since each operation waits for the emulator."""
REFUSALS = (Conflict, InvalidCursor, ValueError)
LISTED: tuple[type[Any], ...] = (Reservation, Payment, Transaction, Notification)
CENTRE = Location(52.5163, 13.3777)

ANSWERS = (
    "commit: nothing", "commit: Conflict", "commit: ValueError", "get: something", "get: nothing",
    "get_many: something", "calendar: something", "page: another page", "page: last page", "page: InvalidCursor",
    "due: something", "stripe_transactions: something", "stripe_transactions: nothing",
    "push_devices: something", "spots_near: something", "forget: nothing",
)  # fmt: skip
"""What the operations must have met."""

Operation = Callable[[Store], Any]


class Stream:
    """Random operations on few items, so that versions collide; what was read is written again later."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable, nothing secret
        self._known: list[Aggregate] = []
        self._cursors: list[tuple[type[Any], UserId, str]] = []

    def next(self) -> tuple[str, Operation]:
        """The next operation, and its name."""
        name = self._random.choices(
            (
                "commit", "get", "get_many", "calendar", "page", "due", "stripe_transactions", "push_devices",
                "spots_near", "forget",
            ),
            (50, 11, 6, 5, 11, 7, 2, 3, 2, 3),
        )[0]  # fmt: skip
        return name, getattr(self, f"_{name}")()

    def learn(self, answer: Any) -> None:
        """Keep what was read for later commits, and cursors for later pages."""
        if isinstance(answer, Page):
            self._known += answer.items
        elif isinstance(answer, list):
            self._known += [item for item in answer if not isinstance(item, tuple)]
        elif answer is not None and hasattr(answer, "version"):
            self._known.append(answer)
        self._known = self._known[-60:]

    def keep_cursor(self, kind: type[Any], user_id: UserId, cursor: str | None) -> None:
        """A page's cursor can be asked for again, also for another list."""
        if cursor:
            self._cursors = [*self._cursors[-10:], (kind, user_id, cursor)]

    # -- the operations

    def _commit(self) -> Operation:
        saves = [self._item() for _ in range(self._random.choice((1, 1, 2, 3, 4)))]
        unchanged = [self._item() for _ in range(self._random.choice((0, 0, 0, 1, 2)))]
        return lambda store: store.commit(*saves, unchanged=unchanged)

    def _get(self) -> Operation:
        item = self._item()
        return lambda store: store.get(type(item), *item.key)

    def _get_many(self) -> Operation:
        kind = type(self._item())
        keys = [item.key for item in (self._new() for _ in range(20)) if type(item) is kind]
        return lambda store: store.get_many(kind, keys)

    def _calendar(self) -> Operation:
        first = self._day()
        days = [first + timedelta(days=n) for n in range(self._random.randint(1, 4))]
        spot_id = self._spot_id()
        return lambda store: list(store.calendar(spot_id, days).days)

    def _page(self) -> Operation:
        kind, user_id, cursor = self._random.choice(LISTED), self._user_id(), None
        if self._cursors and self._random.random() < 0.4:
            kind, user_id, cursor = self._random.choice(self._cursors)
            if self._random.random() < 0.1:
                kind = self._random.choice(LISTED)
        limit = self._random.randint(1, 5)
        status = self._random.choice(list(ReservationStatus)).value if self._random.random() < 0.3 else None
        unread = self._random.random() < 0.3

        def page(store: Store) -> Page[Any]:
            got: Page[Any] = store.page(kind, user_id, limit=limit, cursor=cursor, status=status, unread=unread)
            self.keep_cursor(kind, user_id, got.cursor)
            return got

        return page

    def _due(self) -> Operation:
        step = self._random.choice(list(Step))
        now = NOW + timedelta(minutes=self._random.randint(-30, 300))
        return lambda store: sorted((item.at, item.key) for batch in store.due(step, now) for item in batch)

    def _stripe_transactions(self) -> Operation:
        day = self._random.choice((NOW, NOW + timedelta(days=1), NOW + timedelta(days=2))).date()
        return lambda store: sorted(store.stripe_transactions(day), key=lambda one: one.key)

    def _push_devices(self) -> Operation:
        user_id = self._user_id()
        return lambda store: store.push_devices(user_id)

    def _spots_near(self) -> Operation:
        radius_m = self._random.choice((50.0, 500.0, 2_000.0))
        return lambda store: list(store.spots_near(Circle(CENTRE, radius_m)))

    def _forget(self) -> Operation:
        known = [one for one in self._known if isinstance(one, (PushDevice, EndpointOwner))]
        item = self._random.choice((self._push_device(), *known[-4:]))
        return lambda store: store.forget(item)

    # -- the items

    def _item(self) -> Aggregate:
        """Something that was read, perhaps stale by now, or something new."""
        if self._known and self._random.random() < 0.6:
            return self._random.choice(self._known[-12:])
        return self._new()

    def _new(self) -> Aggregate:
        kinds = (
            self._reservation, self._payment, self._wallet, self._customer, self._transaction, self._notification,
            self._push_device, self._endpoint_owner, self._blocker, self._spot, self._calendar_day,
        )  # fmt: skip
        return self._random.choice(kinds)()

    def _one_of(self, name: str, count: int) -> str:
        return f"{name}-{self._random.randrange(count)}"

    def _user_id(self) -> UserId:
        return UserId(self._one_of("driver", 3))

    def _spot_id(self) -> SpotId:
        return SpotId(self._one_of("spot", 4))

    def _day(self) -> date:
        return date(2026, 12, 1) + timedelta(days=self._random.randrange(4))

    def _reservation(self) -> Reservation:
        user_id, number = self._user_id(), self._random.randrange(12)
        stay = an_interval(self._random.randint(-60, 120), self._random.choice((15, 60, 120)))
        return a_reservation(
            user_id=user_id,
            reservation_id=ReservationId(f"res-{number}"),
            status=self._random.choice(list(ReservationStatus)),
            starts_at=stay.starts_at,
            ends_at=stay.ends_at,
            hold_expires_at=stay.starts_at,
            created_at=NOW + timedelta(seconds=number % 5),
        )

    def _payment(self) -> Payment:
        """One that is due or settled, some with refunds and a dispute."""
        user_id, number = self._user_id(), self._random.randrange(12)
        created_at = NOW + timedelta(seconds=number % 5)
        refunds = [
            a_refund(status=self._random.choice(list(RefundStatus)), stripe_id=f"re_{n}" if n else None)
            for n in range(self._random.choice((0, 0, 1, 2)))
        ]
        opened = Dispute(
            stripe_id="dp_1", amount_minor=480, from_wallet_minor=0, status=DisputeStatus.OPEN, opened_at=NOW
        )
        return a_payment(
            user_id=user_id,
            payment_id=PaymentId(f"pay-{number}"),
            status=self._random.choice(list(PaymentStatus)),
            off_session=self._random.random() < 0.2,
            refunds=tuple(refunds),
            dispute=self._random.choice((None, None, opened)),
            settle_due_at=self._random.choice((None, NOW + timedelta(minutes=self._random.randrange(200)))),
            created_at=created_at,
        )

    def _wallet(self) -> Wallet:
        total = DayTotal(self._day(), self._random.randrange(10_000))
        return a_wallet(
            user_id=self._user_id(),
            balance_minor=self._random.randrange(10_000),
            deposits=tuple(Deposited(PaymentId(f"pay-{n}"), 500) for n in range(self._random.randrange(3))),
            deposited=self._random.choice((None, total)),
            withdrawn=self._random.choice((None, total)),
            debts=self._random.choice(((), (Debt(ReservationId("res-1"), 480, NOW),))),
        )

    def _customer(self) -> Customer:
        cards = tuple(a_payment_method() for _ in range(self._random.randrange(4)))
        default_id = cards[-1].payment_method_id if cards else None
        return a_customer(user_id=self._user_id(), payment_methods=cards, default_id=default_id)

    def _transaction(self) -> Transaction:
        created_at = NOW + timedelta(seconds=self._random.randrange(12), days=self._random.choice((0, 0, 1)))
        return a_transaction(
            user_id=self._user_id(),
            transaction_id=TransactionId(timed_id("txn", created_at, "x")),
            stripe_id=self._random.choice((None, "pi_1")),
            created_at=created_at,
        )

    def _notification(self) -> Notification:
        created_at = NOW + timedelta(seconds=self._random.randrange(12))
        read_at = created_at if self._random.random() < 0.5 else None
        notification_id = NotificationId(timed_id("ntf", created_at, "x"))
        return a_notification(
            user_id=self._user_id(), notification_id=notification_id, created_at=created_at, read_at=read_at
        )

    def _push_device(self) -> PushDevice:
        return a_push_device(user_id=self._user_id(), device_id=DeviceId(self._one_of("phone", 3)))

    def _endpoint_owner(self) -> EndpointOwner:
        return an_endpoint_owner(endpoint=self._one_of("endpoint", 3), user_id=self._user_id())

    def _blocker(self) -> Blocker:
        return a_blocker(blocker_id=BlockerId(self._one_of("blocker", 4)), commands_sent=self._random.randrange(9))

    def _spot(self) -> Spot:
        place = Location(52.5163 + self._random.randrange(20) / 1_000, 13.3777 + self._random.randrange(20) / 1_000)
        return a_spot(spot_id=self._spot_id(), location=place, blocker_id=BlockerId("blocker-0"))

    def _calendar_day(self) -> CalendarDay:
        claims = tuple(a_claim() for _ in range(self._random.randrange(3)))
        return a_calendar_day(spot_id=self._spot_id(), day=self._day(), claims=claims)


def _outcome(operation: Operation, store: Store) -> Any:
    try:
        return operation(store)
    except REFUSALS as refusal:
        return type(refusal)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """MiniStack, and the environment that leads every AWS client to it."""
    with running_aws(tmp_path_factory.mktemp("aws")) as aws, pytest.MonkeyPatch.context() as patch:
        for name, value in aws.variables.items():
            patch.setitem(os.environ, name, value)
        yield


def _said(outcome: Any) -> str:
    """What kind of answer it is, for the count of what was compared."""
    if isinstance(outcome, type):
        return outcome.__name__
    if isinstance(outcome, Page):
        return "another page" if outcome.cursor else "last page"
    return "nothing" if outcome in (None, []) else "something"


def _compare(seed: int) -> tuple[list[str], Counter[str]]:
    """Every difference that a stream of operations shows, and what was compared."""
    stream, memory, dynamo = Stream(seed), MemoryStore(), DynamoStore(create_tables())
    differences, compared = [], Counter[str]()
    for number in range(OPERATIONS // STREAMS):
        name, operation = stream.next()
        in_memory, in_dynamo = _outcome(operation, memory), _outcome(operation, dynamo)
        stream.learn(in_memory)
        compared[f"{name}: {_said(in_memory)}"] += 1
        if in_memory != in_dynamo:
            differences.append(f"stream {seed}, operation {number}, {name}: {in_memory} and {in_dynamo}")
    return differences, compared


@pytest.mark.usefixtures("emulator")
def test_ten_thousand_random_operations_show_no_difference() -> None:
    differences, compared = list[str](), Counter[str]()
    with ThreadPoolExecutor(STREAMS) as pool:
        for found, counted in pool.map(_compare, range(STREAMS)):
            differences += found
            compared += counted
    assert differences == []
    assert compared.total() == OPERATIONS
    never = [answer for answer in ANSWERS if not compared[answer]]
    assert never == [], f"the operations compare less than they should: {sorted(compared.items())}"
