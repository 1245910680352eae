"""Drivers: what they do with the app and with their cars; purses.py has their money, phones.py their phones."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from parking.domain.errors import ParkingError
from parking.domain.ids import ReservationId, UserId
from parking.domain.ledger import Wallet
from parking.domain.reservation import ExtensionStatus, Reservation, ReservationStatus
from parking.domain.spot import Spot
from parking_blocker.contract import Position
from tests.simulation import account_calls, api_calls, card_calls, reference
from tests.simulation.api_calls import ANYTHING, OK, ApiCall
from tests.simulation.choosing import choose
from tests.simulation.draws import Weighted
from tests.simulation.faults import Crash
from tests.simulation.keypads import come
from tests.simulation.onlookers import LASTS_MINUTES, Onlooker
from tests.simulation.phones import Phones
from tests.simulation.purses import Purse
from tests.simulation.stripe import STORED_500
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.world import World

S = ReservationStatus
STARTS_MINUTES = Weighted(
    [(None, 20), (0, 5), (5, 15), (15, 10), (16, 5), (20, 15), (40, 15), (90, 5), (300, 2), (1500, 2), (-2, 1)]
)
STAYS_AT_ONCE = 3
CALLS_KEPT = 6
TOKEN_LIFE = timedelta(hours=1)
SETTLES = timedelta(minutes=6)
"""What Stripe and we have to settle is mostly done by then."""

THEMES: dict[str, Weighted[str]] = {
    "mixed": Weighted(
        [("go on", 40), ("reserve", 8), ("again", 8), ("extend", 8), ("anything", 6), ("card", 8), ("deposit", 3),
         ("cancel", 4), ("look", 14), ("phone", 20), ("cards", 3), ("withdraw", 1), ("leave", 1)]
    ),
    "contention": Weighted(
        [("go on", 36), ("reserve", 20), ("again", 8), ("extend", 16), ("anything", 6), ("cancel", 8), ("look", 6)]
    ),
    "money": Weighted(
        [("go on", 34), ("card", 24), ("deposit", 10), ("reserve", 8), ("again", 14), ("cancel", 9), ("extend", 9),
         ("phone", 4), ("look", 4), ("cards", 12), ("withdraw", 6), ("leave", 1)]
    ),
    "machines": Weighted([("go on", 78), ("reserve", 6), ("extend", 6), ("again", 3), ("anything", 4), ("cancel", 3)]),
}  # fmt: skip


class Driver:
    """One driver. `act` does one thing that this driver might do now."""

    def __init__(self, world: "World", user_id: UserId) -> None:
        self.user_id = user_id
        self._world = world
        self._keys = 0
        self._calls: list[ApiCall] = []
        self._wishes: list[ApiCall] = []
        self._eyes = Onlooker(world, user_id)
        self._phones = Phones(world, user_id)
        self.purse = Purse(world, user_id, self.ask, self._key)
        self._does: dict[str, Callable[[], None]] = {
            "reserve": self.reserve,
            "go on": self.go_on,
            "extend": self.extend,
            "cancel": self.cancel,
            "anything": self.try_anything,
            "again": self.ask_again,
            "deposit": self.purse.deposit,
            "card": self.purse.use_card,
            "cards": self.purse.manage_cards,
            "withdraw": self.purse.withdraw,
            "leave": self.leave,
            "look": self._eyes.look,
            "phone": self._phones.act,
        }

    def act(self) -> None:
        """One thing."""
        if self._is_gone:
            return
        self._does[self._world.draws.weighted(THEMES[self._world.profile.theme])]()

    def act_at_once(self) -> None:
        """One thing that takes no time: it happens while another function is at work."""
        if self._is_gone:
            return
        draws = self._world.draws
        does = (self.go_on_now, self.reserve_more, self.cancel_now, self.go_on_now, self.reserve_more, self.ask_again,
                self.extend, self.try_anything, self._phones.act)  # fmt: skip
        draws.pick(does)()

    def change_mind(self) -> None:
        """Arrive at, leave or cancel a stay whose barrier is being decided on."""
        if self._is_gone:
            return
        draws, now = self._world.draws, self._world.now
        current = [r for r in self._stays() if r.status in reference.RUNNING and r.starts_at - reference.LEAD <= now]
        if not current:
            self.go_on_now()
            return
        stay = draws.pick(current)
        if stay.status is S.ACTIVE:
            self.ask(api_calls.depart(self.user_id, stay.reservation_id))
        else:
            self.ask(draws.pick((api_calls.arrive, api_calls.cancel))(self.user_id, stay.reservation_id))

    # -- asking

    def ask(self, call: ApiCall) -> Any:
        """Send a request; the answer, or None where there was none or a refusal. Raises Violation."""
        world, now = self._world, self._world.now
        wanted = api_calls.expected(world, call, now)
        asked = (call.user_id, call.name, call.key)
        self._calls = [*self._calls[-CALLS_KEPT:], call]
        world.say("{} asks {} {} {}", self.user_id, call.name, call.key, call.body)
        outcome = world.invoke(
            call.name,
            lambda: world.house.answer(world.ports, call, now),
            now=now,
            user_id=self.user_id,
            key=call.key,
            event=call.body,
        )
        if call.name == "reserve" and wanted == OK and call not in self._wishes:
            self._wishes.append(call)
        said = OK if outcome.error is None else _said(outcome.error)
        world.say("    is told {}", said)
        world.coverage.answer(call.name, said)
        if not outcome.disturbed and wanted != ANYTHING and said not in (wanted, STORED_500):
            raise Violation(4 if call.key else 11, f"{call.name} {call.body} is answered {said}, expected {wanted}")
        if outcome.error is None and call.key:
            first = world.answers.setdefault(asked, outcome.value)
            if first != outcome.value:
                raise Violation(4, f"{call.name} with key {call.key} was {first}, and now is {outcome.value}")
        self.purse.remember(outcome.value)
        return outcome.value

    def ask_again(self) -> None:
        """A double click, a retry after a timeout, or the same key with another body."""
        if not self._calls:
            return
        # A reservation's own request may come again after much has happened to it.
        old = self._wishes and self._world.draws.chance(400)
        call = self._world.draws.pick(self._wishes if old else self._calls)
        if call.name == "reserve" and self._world.draws.chance(200):
            spot_id, starts_at, ends_at, quoted = call.body
            later = ends_at + timedelta(minutes=15)
            call = api_calls.reserve(self.user_id, call.key, spot_id, starts_at, later, quoted)
        elif call.name == "deposit" and self._world.draws.chance(200):
            call = card_calls.deposit(self.user_id, call.key, call.body[0] + 1, call.body[1])
        elif call.name == "withdraw" and self._world.draws.chance(200):
            call = card_calls.withdraw(self.user_id, call.key, call.body[0] + 1)
        self.ask(call)

    # -- stays

    def reserve(self) -> None:
        """A wish for a stay: often right beside another one. Who has enough stays goes on with these."""
        if sum(r.status not in reference.FINAL for r in self._stays()) >= STAYS_AT_ONCE:
            self.go_on_now()
            return
        self.reserve_more()

    def book_behind(self, stay: Reservation) -> datetime:
        """A paid stay right behind another one, if that can be had; when it begins."""
        starts_at = stay.ends_at + timedelta(minutes=stay.turnover_minutes)
        ends_at = starts_at + timedelta(minutes=60)
        answer = self.ask(api_calls.reserve(self.user_id, self._key(), stay.spot_id, starts_at, ends_at, None))
        if answer:
            self.purse.pay(ReservationId(answer.reservation_id))
        return starts_at

    def reserve_more(self) -> None:
        """A wish for a stay, whatever else there is."""
        draws, now = self._world.draws, self._world.now
        spot = draws.pick(self._world.spots)
        minutes = draws.weighted(STARTS_MINUTES)
        lasts = timedelta(minutes=draws.weighted(LASTS_MINUTES))
        if self._world.profile.long_stays and draws.chance(400):
            lasts = reference.WEEK
        starts_at = None if minutes is None else (now + timedelta(minutes=minutes)).replace(microsecond=0)
        if starts_at and draws.chance(500):
            starts_at = starts_at.replace(second=0) + timedelta(minutes=1)
        lasts = max(lasts, timedelta(minutes=spot.tariff.minimum_minutes - draws.pick((0, 0, 0, 1))))
        neighbours = [
            r for r in self._world.reservations_at(spot.spot_id) if r.ends_at > now and r.status not in reference.FINAL
        ]
        beside = draws.pick(("", "", "behind", "behind", "before", "a second too near"))
        if neighbours and beside:
            neighbour = draws.pick(neighbours)
            turnover = timedelta(minutes=spot.turnover_minutes)
            if beside == "before":
                starts_at = neighbour.starts_at - turnover - lasts
                if starts_at < now:
                    starts_at = now.replace(microsecond=0)
                    lasts = max(neighbour.starts_at - turnover - starts_at, lasts)
            else:
                too_near = timedelta(seconds=1 if beside == "a second too near" else 0)
                starts_at = neighbour.ends_at + turnover - too_near
        ends_at = (starts_at or now.replace(microsecond=0)) + lasts
        quoted = reference.price_minor(spot.tariff, lasts) if draws.chance(200) and lasts > timedelta(0) else None
        answer = self.ask(api_calls.reserve(self.user_id, self._key(), spot.spot_id, starts_at, ends_at, quoted))
        if answer and draws.chance(500):
            self.purse.pay(ReservationId(answer.reservation_id))

    def go_on(self) -> None:
        """The natural next thing, after waiting until the barrier may be lowered."""
        ahead = [r for r in self._stays() if r.status is S.CONFIRMED and r.starts_at - reference.LEAD > self._world.now]
        if ahead and self._world.draws.chance(300):
            self._world.advance(ahead[0].starts_at - reference.LEAD)
        self.go_on_now()

    def go_on_now(self) -> None:
        """The natural next thing with one of the stays that are not over."""
        stays = [r for r in self._stays() if r.status not in reference.FINAL]
        debt = api_calls.debt_of(self._world, self.user_id)
        if debt and self._world.draws.chance(400):
            self.purse.pay(debt)
            return
        displaced = [r for r in stays if reference.may_choose(r, self._world.now)]
        if displaced and self._world.draws.chance(800):
            choose(self._world, self.ask, displaced[0])
            return
        if not stays:
            self.reserve()
            return
        current = [r for r in stays if r.status is S.HELD or r.starts_at - reference.LEAD <= self._world.now]
        stay = self._world.draws.pick(current or stays)
        device = self._world.devices[stay.blocker_id]
        here = device.car == self.user_id
        waiting = reference.open_extension(stay)
        if stay.status is S.HELD:
            self.purse.pay(stay.reservation_id)
        elif waiting and self._world.draws.chance(700):
            if self._world.draws.chance(200) and not self._world.busy:
                self._world.advance(max(waiting.hold_expires_at, self._world.now))
            self.purse.pay(stay.reservation_id, waiting.extension_id)
        elif stay.status is S.CONFIRMED:
            if come(self._world, self.ask, stay):
                self.park(stay)
        elif not here and self._world.draws.chance(600):
            self.park(stay)
        elif here and self._world.draws.chance(500):
            self.drive_away(stay)
        else:
            if here and not self._world.draws.chance(200):
                self.drive_away(stay)
            self.ask(api_calls.depart(self.user_id, stay.reservation_id))

    def park(self, stay: Reservation) -> None:
        """Onto the spot, if the barrier is down."""
        device = self._world.devices[stay.blocker_id]
        if device.position is Position.LOWERED and device.car_comes(self.user_id):
            self._world.say("{} parks at {}", self.user_id, stay.spot_id)

    def drive_away(self, stay: Reservation) -> None:
        """Off the spot."""
        self._world.say("{} drives away from {}", self.user_id, stay.spot_id)
        self._world.devices[stay.blocker_id].car_leaves()

    def extend(self) -> None:
        """More time: as much as there is, a step, or a second too much."""
        draws = self._world.draws
        running = [r for r in self._stays() if r.status in reference.RUNNING]
        if not running:
            self.go_on_now()
            return
        stay = draws.pick(running)
        option = self.ask(api_calls.ask_extension(self.user_id, stay.reservation_id))
        spot = self._world.store.get(Spot, stay.spot_id)
        step = timedelta(minutes=spot.tariff.step_minutes if spot else 15)
        ends = [stay.ends_at + step, stay.ends_at + 2 * step, stay.ends_at + step - timedelta(seconds=1)]
        if option:
            ends += [option.latest_ends_at, option.latest_ends_at + timedelta(seconds=1)]
        self.ask(api_calls.extend(self.user_id, self._key(), stay.reservation_id, draws.pick(ends)))

    def cancel(self) -> None:
        """One of the stays; sometimes at the very instant of its start."""
        ahead = [r for r in self._stays() if r.status is S.CONFIRMED and r.starts_at > self._world.now]
        if ahead and self._world.draws.chance(300):
            stay = self._world.draws.pick(ahead)
            self._world.advance(stay.starts_at)
            self.ask(api_calls.cancel(self.user_id, stay.reservation_id))
            return
        self.cancel_now()

    def cancel_now(self) -> None:
        """One of the stays, if possible one that is not over."""
        stays = self._stays()
        open_ones = [r for r in stays if r.status not in reference.FINAL]
        if stays:
            stay = self._world.draws.pick(open_ones or stays)
            self.ask(api_calls.cancel(self.user_id, stay.reservation_id))

    def try_anything(self) -> None:
        """Any request about any stay, somebody else's included."""
        draws = self._world.draws
        stays = self._world.store.reservations
        if not stays:
            return
        stay = draws.pick(stays)
        expired = [e for e in stay.extensions if e.status is ExtensionStatus.EXPIRED]
        extension_id = expired[-1].extension_id if expired else None
        asked = draws.pick(("arrive", "depart", "cancel", "pay", "pay extension", "extend", "choose", "code"))
        match asked:
            case "arrive":
                self.ask(api_calls.arrive(self.user_id, stay.reservation_id))
            case "depart":
                self.ask(api_calls.depart(self.user_id, stay.reservation_id))
            case "cancel":
                self.ask(api_calls.cancel(self.user_id, stay.reservation_id))
            case "code":
                self.ask(api_calls.ask_code(self.user_id, stay.reservation_id))
            case "choose":
                self.ask(api_calls.ask_alternatives(self.user_id, stay.reservation_id))
                self.ask(api_calls.move(self.user_id, stay.reservation_id, draws.pick(self._world.spots).spot_id))
            case "extend":
                later = stay.ends_at + timedelta(hours=1)
                self.ask(api_calls.extend(self.user_id, self._key(), stay.reservation_id, later))
            case _:
                self.purse.pay(stay.reservation_id, extension_id if asked == "pay extension" else None)

    def leave(self) -> None:
        """Close the account: mostly after everything that is open was ended, and the wallet emptied.

        The log-in is up to eleven minutes old, a minute too many, as the clock has it: no draw is spent on it.
        """
        world = self._world
        if world.draws.chance(700):
            for stay in self._stays():
                if stay.status is S.ACTIVE:
                    self.ask(api_calls.depart(self.user_id, stay.reservation_id))
                elif stay.status not in reference.FINAL:
                    self.ask(api_calls.cancel(self.user_id, stay.reservation_id))
            wallet = world.store.get(Wallet, self.user_id)
            if wallet and wallet.balance_minor:
                self.ask(card_calls.withdraw(self.user_id, self._key(), wallet.balance_minor))
            world.advance(world.now + SETTLES)
        logged_in_at = world.now.replace(microsecond=0) - timedelta(minutes=world.now.minute % 12)
        self.ask(account_calls.close_account(self.user_id, logged_in_at))

    # -- inside

    @property
    def _is_gone(self) -> bool:
        """Whether the last token of a closed account is dead."""
        left_at = self._world.logged_out.get(self.user_id)
        return left_at is not None and self._world.now >= left_at + TOKEN_LIFE

    def _stays(self) -> list[Reservation]:
        return [r for r in self._world.store.reservations if r.user_id == self.user_id]

    def _key(self) -> str:
        self._keys += 1
        return f"key-{self._keys}"


def _said(error: BaseException) -> str:
    match error:
        case ParkingError():
            return error.code
        case Crash():
            return "no answer"
        case _:
            return STORED_500 if STORED_500 in str(error) else type(error).__name__
