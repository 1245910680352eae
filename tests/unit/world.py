"""A small world for the use cases: one spot, its blocker's device, Stripe, and drivers with money."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from parking.adapters.memory.cards import MemoryCards
from parking.adapters.memory.iot import MemoryShadows
from parking.adapters.memory.store import MemoryStore
from parking.domain.blocker import Blocker, Connectivity, Occupancy, Position, Result
from parking.domain.calendar import Claim
from parking.domain.ids import CreateRequest, ExtensionId, ReservationId, UserId
from parking.domain.ledger import Transaction, Wallet
from parking.domain.notification import Notification
from parking.domain.payment import Payment
from parking.domain.reservation import Extension, Reservation
from parking.services import bookings, payments
from parking.services.blockers import reconcile
from parking.services.card_payments import deposit_by_card, settle
from parking.services.owned import reservation_of
from parking.services.ports import Aggregate, Conflict
from parking.services.schedules import expire_holds, finish_stays, guard_upcoming, tell_ending
from parking.services.wording.en import ENGLISH
from tests.builders import NOW, a_blocker, a_spot

ANNA, BORIS = UserId("anna"), UserId("boris")


def at(minutes: float) -> datetime:
    """So many minutes after NOW."""
    return NOW + timedelta(minutes=minutes)


def english(notice: Notification) -> str:
    """The notice's text as an English-speaking driver reads it."""
    return ENGLISH.words(notice).text


class RacingStore(MemoryStore):
    """Lets somebody else act between the load and the commit of the next use case, once."""

    def __init__(self) -> None:
        super().__init__()
        self._meanwhile: Callable[[], object] | None = None
        self.lost_races = 0

    def meanwhile(self, act: Callable[[], object]) -> None:
        """What happens just before the next commit."""
        self._meanwhile = act

    def commit(self, *saves: Aggregate, unchanged: Any = ()) -> None:
        """Write all of `saves` or nothing. Raises Conflict."""
        act, self._meanwhile = self._meanwhile, None
        if act:
            act()
        try:
            super().commit(*saves, unchanged=unchanged)
        except Conflict:
            self.lost_races += 1
            raise

    def all_of[A: Aggregate](self, kind: type[A]) -> list[A]:
        """Every item of a kind."""
        return self._all(kind)


class World:
    """One spot in service; `spot` is 2.40 EUR an hour, in steps of 15 minutes, with 10 minutes of turnover."""

    def __init__(self, **spot: Any) -> None:
        self.store = RacingStore()
        self.shadows = MemoryShadows()
        self.cards = MemoryCards()
        self.guard_failures: list[Reservation] = []
        self.spot = a_spot(**spot)
        blocker = a_blocker(
            blocker_id=self.spot.blocker_id,
            spot_id=self.spot.spot_id,
            report=None,
            shadow_version=0,
        )
        self.store.commit(self.spot, blocker)

    # What drivers do

    def request(self, user: UserId, key: str, fingerprint: str = "body", route: str = "POST /") -> CreateRequest:
        """A request with this Idempotency-Key."""
        return CreateRequest(user, route, key, fingerprint)

    def reserve(
        self,
        user: UserId,
        starts: float | None = 60,
        ends: float = 180,
        *,
        key: str = "reserve",
        now: float = 0,
        **wish: Any,
    ) -> Reservation:
        """Hold the spot from and to so many minutes after NOW."""
        wished = bookings.Wish(
            spot_id=self.spot.spot_id,
            starts_at=None if starts is None else at(starts),
            ends_at=at(ends),
            quoted_amount_minor=None,
            vehicle_plate=None,
        )
        request = self.request(user, key, route="POST /reservations")
        return bookings.reserve(self.store, request, replace(wished, **wish), at(now))

    def pay(
        self,
        reservation: Reservation,
        extension: Extension | None = None,
        *,
        key: str = "pay",
        now: float = 1,
        fingerprint: str = "body",
    ) -> Payment:
        """Pay from the wallet."""
        extension_id: ExtensionId | None = extension.extension_id if extension else None
        request = self.request(reservation.user_id, f"{key}-{reservation.reservation_id}-{extension_id}", fingerprint)
        return payments.pay_from_wallet(
            self.store, request, reservation_id=reservation.reservation_id, extension_id=extension_id, now=at(now)
        )

    def fund(self, user: UserId, amount_minor: int = 10_000, *, key: str = "fund", now: float = 0) -> Payment:
        """Deposit by card; the webhook has come."""
        request = self.request(user, key, route="POST /wallet/deposits")
        answer = deposit_by_card(
            self.store,
            self.cards,
            request,
            amount_minor=amount_minor,
            currency="EUR",
            payment_method_id=None,
            now=at(now),
        )
        settled = settle(self.store, self.cards.pay(answer.payment.intent_id or ""), at(now))
        if settled is None:
            raise LookupError(answer.payment.payment_id)
        return settled

    def booked(
        self, user: UserId, starts: float | None = 60, ends: float = 180, *, now: float = 0, funds: int = 10_000
    ) -> Reservation:
        """A paid reservation of a driver with money."""
        key = f"{starts}-{ends}-{now}"
        self.fund(user, funds, key=key, now=now)
        held = self.reserve(user, starts, ends, key=key, now=now)
        self.pay(held, now=now)
        return self.stored(held)

    def extend(
        self, reservation: Reservation, ends: float, *, key: str = "extend", now: float = 70, fingerprint: str = "body"
    ) -> Extension:
        """Hold more time until so many minutes after NOW."""
        request = self.request(reservation.user_id, key, fingerprint, "POST /extensions")
        return bookings.extend(self.store, request, reservation.reservation_id, at(ends), at(now))[1]

    def active(self, user: UserId = ANNA, starts: float = 60, ends: float = 180, *, funds: int = 10_000) -> Reservation:
        """A driver who has parked on her paid time, the car seen by the sensor."""
        booked = self.booked(user, starts, ends, funds=funds)
        bookings.arrive(self.store, user, booked.reservation_id, at(starts))
        self.reconcile(starts)
        self.device_obeys(starts + 0.2)
        self.device_reports(starts + 1, Position.LOWERED, Occupancy.OCCUPIED)
        return self.stored(booked)

    # What the device does

    def device_reports(
        self, now: float, position: Position = Position.LOWERED, occupancy: Occupancy = Occupancy.VACANT, **more: Any
    ) -> Blocker:
        """The device tells its state, and the shadow's document reaches us."""
        reported = {"position": position, "occupancy": occupancy, "command_id": None, "result": None} | more
        document = self.shadows.report(self.spot.blocker_id, reported, at(now))
        reconcile(self.store, self.shadows, self.spot.blocker_id, at(now), document=document)
        return self.blocker

    def device_obeys(self, now: float, occupancy: Occupancy = Occupancy.VACANT) -> Blocker:
        """The device does what the shadow desires and says so."""
        command = self.shadows.desired(self.spot.blocker_id)
        if command is None:
            raise LookupError("the device was told nothing")
        return self.device_reports(now, command.position, occupancy, command_id=command.command_id, result=Result.DONE)

    def device_is(self, connectivity: Connectivity, now: float = 0) -> None:
        """The blocker is connected or not, as we know it."""
        self.store.commit(replace(self.blocker, connectivity=connectivity, presence_at=at(now)))

    def reconcile(self, now: float) -> Blocker:
        """A trigger without news: a stream record or a schedule."""
        reconcile(self.store, self.shadows, self.spot.blocker_id, at(now))
        return self.blocker

    # What the schedules do

    def tick(self, now: float) -> int:
        """Every schedule, until nothing is due any more; how many items moved. Nothing may fail."""
        moved = self.tick_once(now)
        return moved + self.tick(now) if moved else 0

    def tick_once(self, now: float) -> int:
        """One tick of every schedule: each item makes one step at most, as in the minute after a pause."""
        swept = [
            expire_holds(self.store, at(now)),
            tell_ending(self.store, at(now)),
            finish_stays(self.store, at(now)),
            guard_upcoming(self.store, self.shadows, at(now), self.guard_failures.append),
        ]
        for failure in (failure for each in swept for failure in each.failures.values()):
            raise failure
        return sum(each.moved for each in swept)

    # What is there

    @property
    def blocker(self) -> Blocker:
        """The stored blocker."""
        blocker = self.store.get(Blocker, self.spot.blocker_id)
        if blocker is None:
            raise LookupError(self.spot.blocker_id)
        return blocker

    def stored(self, reservation: Reservation) -> Reservation:
        """The reservation as it is now."""
        return self.reservation(reservation.user_id, reservation.reservation_id)

    def reservation(self, user: UserId, reservation_id: ReservationId) -> Reservation:
        """A driver's reservation as it is now."""
        return reservation_of(self.store, user, reservation_id)

    def claims(self) -> tuple[Claim, ...]:
        """Every claim on the spot in the days around NOW."""
        days = [(NOW + timedelta(days=n)).date() for n in range(-1, 12)]
        return self.store.calendar(self.spot.spot_id, days).claims

    def balance(self, user: UserId = ANNA) -> int:
        """The wallet in minor units, which the ledger must agree with."""
        wallet = self.store.get(Wallet, user)
        balance = wallet.balance_minor if wallet else 0
        booked = sum(t.wallet_amount_minor for t in self.ledger(user))
        if balance != booked:
            raise ValueError(f"the wallet of {user} holds {balance}, its ledger {booked}")
        return balance

    def ledger(self, user: UserId = ANNA) -> list[Transaction]:
        """A driver's transactions, newest first."""
        return self.store.page(Transaction, user, limit=100).items

    def inbox(self, user: UserId = ANNA) -> list[Notification]:
        """A driver's notices."""
        return self.store.page(Notification, user, limit=100).items

    def told(self, user: UserId = ANNA) -> list[str]:
        """The kinds of a driver's notices, deposits left out."""
        return sorted(n.kind for n in self.inbox(user) if n.kind != "DEPOSIT_SUCCEEDED")
