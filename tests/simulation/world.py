"""The world of one run: its clock, its adapters behind the fault layer, its mail, and what runs in it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from parking.adapters.entry_codes import DerivedEntryCodes
from parking.adapters.memory.iot import MemoryShadows, MemoryThings
from parking.adapters.memory.logins import MemoryLogins
from parking.adapters.memory.push import MemoryPush
from parking.domain.blocker import Blocker, Command, Connectivity, Occupancy, Report
from parking.domain.errors import ParkingError
from parking.domain.guarding import blockers_to_tell
from parking.domain.health import Health
from parking.domain.ids import BlockerId, CommandId, SpotId, UserId
from parking.domain.notification import Notification
from parking.domain.payment import Payment
from parking.domain.reservation import Reservation
from parking.domain.spot import ServiceState, Spot
from parking.services.ports import Busy, CardError, LoginsUnavailable, ShadowUnavailable, StoreUnavailable
from parking.services.watching import COUNT_EVERY_MINUTES
from parking_blocker.contract import Position, Reported, Result
from tests.simulation import doors, reference
from tests.simulation.boundary import FaultyCards, FaultyLogins, FaultyPush, FaultyShadows, FaultyStore, FaultyThings
from tests.simulation.check_push import Phones
from tests.simulation.coverage import Coverage
from tests.simulation.device import Device
from tests.simulation.draws import Draws, Weighted
from tests.simulation.faults import Crash, FaultPlan, Outage
from tests.simulation.house import House
from tests.simulation.invariants import STEP_OF, Invariants
from tests.simulation.keypads import Codes
from tests.simulation.messages import Mail, Message
from tests.simulation.profile import Profile
from tests.simulation.stripe import STORED_500, SimulatedCards
from tests.simulation.violation import Violation
from tests.simulation.watched_store import Change, WatchedStore

PROMPT = timedelta(milliseconds=100)
MINUTE = timedelta(minutes=1)
TICKS_CAUGHT_UP = 3  # after a longer jump of the clock the schedules before these were skipped
MOST_STAYS = 90  # of one spot in one run
TROUBLES = (Busy, CardError, LoginsUnavailable, ShadowUnavailable, StoreUnavailable, Outage)
"""What a use case may raise when the outside world fails it."""

_TRAVELS = Weighted(
    [("prompt", 50), ("seconds", 6), ("minutes", 3), ("long", 1), ("doubled", 2), ("doubled late", 1), ("poison", 1)]
)
_TICKS = Weighted([("prompt", 12), ("skipped", 2), ("late", 1), ("doubled", 1)])


Asked = tuple[UserId, str, str]
"""Who, for what, with which Idempotency-Key."""


@dataclass(slots=True)
class Invocation:
    """One run of a function: `now` is its event's time, `user_id` who asked (None: nobody, an event)."""

    name: str
    now: datetime
    user_id: UserId | None
    key: str
    event: Any
    phones_since: int
    """Which of the phones' changes came before."""


@dataclass(slots=True)
class Outcome[T]:
    """How an invocation ended; `disturbed` by a fault or a race. One of value and error is None."""

    value: T | None
    error: BaseException | None
    disturbed: bool


class World:
    """Everything that a run can touch."""

    def __init__(self, draws: Draws, profile: Profile, house: House) -> None:
        self.house = house
        self.draws = draws
        self.profile = profile
        self.now = profile.begins_at
        self.coverage = Coverage()
        self.faults = FaultPlan(draws, profile.faults)
        self.mail = Mail()
        self.shadows = MemoryShadows()
        self.cards = SimulatedCards(profile.begins_at)
        self.push = MemoryPush()
        self.things = MemoryThings()
        self.logins = MemoryLogins()
        self.logged_out: dict[UserId, datetime] = {}
        """When the log-in of a driver was deleted."""
        self.invariants = Invariants(self)
        self.phones = Phones(self)
        self.codes = Codes(self)
        self.store = WatchedStore(self._committed)
        self.ports = doors.Ports(
            FaultyStore(self, house.behind(self.store)),
            FaultyShadows(self, self.shadows),
            FaultyCards(self, self.cards),
            FaultyPush(self, self.push),
            FaultyThings(self, self.things),
            DerivedEntryCodes({"present": "master"}),
            FaultyLogins(self, self.logins),
            self.invariants.alarmed,
        )
        self.spots: list[Spot] = []
        self.devices: dict[BlockerId, Device] = {}
        self.saved_cards: set[str] = set()
        """The payment_method_id of every card that was ever saved."""
        self.bodies: dict[Asked, tuple[Any, ...]] = {}
        self.answers: dict[Asked, Any] = {}
        self.reports: dict[tuple[BlockerId, int], Report | None] = {}
        self.answered: dict[CommandId, set[tuple[Result, Position]]] = {}
        self.invocation: Invocation | None = None
        self.race: Callable[[], None] = lambda: None
        self.log: list[tuple[str, datetime, tuple[Any, ...]]] = []
        self._next_tick = profile.begins_at + MINUTE
        self._sloppy = False
        self.wild = False
        """Whether things go wrong."""

    def reservations_at(self, spot_id: SpotId) -> list[Reservation]:
        """Every reservation that the spot ever had, but those that have moved to another one."""
        found = self.store.get_many(Reservation, self.invariants.memory.stays[spot_id][-MOST_STAYS:])
        return [reservation for reservation in found if reservation.spot_id == spot_id]

    def could_take(self, spot: Spot, reservation: Reservation, now: datetime) -> bool:
        """Whether the rest of a stay could go on at another spot: near, working, seen empty, and free."""
        blocker, here = self.store.get(Blocker, spot.blocker_id), self.store.get(Spot, reservation.spot_id)
        if blocker is None or here is None or spot.spot_id == reservation.spot_id:
            return False
        start = max(now.replace(microsecond=0), reservation.starts_at)
        far = now < reservation.starts_at - reference.LEAD
        until = reservation.ends_at + timedelta(minutes=spot.turnover_minutes)
        free = not any(reference.claims(other, start, until) for other in self.reservations_at(spot.spot_id))
        return (
            free
            and spot.service_state is ServiceState.IN_SERVICE
            and (far or reference.health(blocker, now) is Health.ONLINE)
            and (far or reference.seen(blocker, now) is Occupancy.VACANT)
            and spot.location.distance_m(here.location) <= reference.NEAR_M
        )

    @property
    def busy(self) -> bool:
        """Whether a function is at work: then time cannot pass by much."""
        return self.invocation is not None

    def add_spot(self, spot: Spot) -> None:
        """A provisioned spot gets its machine, which connects."""
        self.spots.append(spot)
        device = Device(self, spot.blocker_id)
        self.devices[spot.blocker_id] = device
        device.connect()

    def unleash(self) -> None:
        """The set-up is over: from here on things go wrong."""
        self.faults.start(self.profile.fault_rate_per_mille)
        self._sloppy = self.profile.sloppy
        self.wild = True

    def calm(self) -> None:
        """From here on nothing goes wrong any more."""
        self.faults.stop()
        self._sloppy = False
        self.wild = False

    def say(self, template: str, *words: Any) -> None:
        """A line of the trace; formatted only when somebody reads it."""
        self.log.append((template, self.now, words))

    # -- invocations

    def invoke[T](
        self,
        name: str,
        act: Callable[[], T],
        *,
        now: datetime,
        user_id: UserId | None = None,
        key: str = "",
        event: Any = None,
    ) -> Outcome[T]:
        """Run one function for one event, under the faults. Raises Violation for an error that nobody can expect."""
        outer = self.invocation
        self.invocation = Invocation(name, now, user_id, key, event, self.phones.clock)
        plan = self.faults.begin(name)
        try:
            outcome = Outcome(act(), None, self.faults.struck_here > 0)
        except (ParkingError, *TROUBLES, Crash, doors.TickFailed) as error:
            outcome = Outcome(None, error, self.faults.struck_here > 0)
            self._check_error(name, outcome)
        except Exception as error:
            raise Violation(0, f"{name} raised {type(error).__name__}: {error}") from error
        finally:
            self.faults.end(plan)
            self.invocation = outer
        return outcome

    def _check_error(self, name: str, outcome: Outcome[Any]) -> None:
        error = outcome.error
        if isinstance(error, doors.TickFailed):
            for key, failure in error.failures.items():
                if not isinstance(failure, TROUBLES):
                    raise Violation(
                        0, f"{name} cannot move {key[-1]}: {type(failure).__name__}: {failure}"
                    ) from failure
        if not isinstance(error, (ParkingError, Crash)) and not outcome.disturbed and not _stored_500(error):
            raise Violation(0, f"{name} failed although nothing was wrong: {type(error).__name__}: {error}")

    # -- the outside world

    def _committed(self, changes: list[Change]) -> None:
        self.invariants.committed(changes)
        for before, after in changes:
            if isinstance(after, Reservation):
                self.emit("reservation changed", (before, after), self.now.replace(microsecond=0))
            elif isinstance(after, Payment):
                self.emit("payment changed", after, self.now.replace(microsecond=0))
            elif isinstance(after, Notification) and before is None:
                self.emit("notice made", after, self.now.replace(microsecond=0))

    def emit(self, kind: str, payload: Any, at: datetime) -> None:
        """Put an event on its way; in a sloppy world it may be late, doubled or poison."""
        arrives_at = self.now + PROMPT
        travel = self.draws.weighted(_TRAVELS) if self._sloppy else "prompt"
        poison = False
        match travel:
            case "seconds":
                arrives_at += timedelta(seconds=1 + self.draws.draw(40))
            case "minutes":
                arrives_at += timedelta(minutes=1 + self.draws.draw(20))
            case "long":
                arrives_at += timedelta(hours=1 + self.draws.draw(72))
            case "doubled":
                self.mail.post(kind, payload, at, arrives_at)
            case "doubled late":
                self.mail.post(kind, payload, at, arrives_at + timedelta(minutes=1 + self.draws.draw(60)))
            case "poison":
                poison = True
        self.mail.post(kind, payload, at, arrives_at, poison=poison)

    def presence(self, blocker_id: BlockerId, online: bool, version: int) -> None:
        """The broker's lifecycle event."""
        connectivity = Connectivity.ONLINE if online else Connectivity.OFFLINE
        self.say("{} is {} (connection {})", blocker_id, connectivity, version)
        self.emit("presence", doors.Presence(blocker_id, connectivity, version), self.now)

    def reported(self, blocker_id: BlockerId, reported: Reported) -> None:
        """The device's report reaches the shadow, which tells of it."""
        before = self.shadows.get(blocker_id)
        document = self.shadows.report(blocker_id, reported.document(), self.now)
        self.reports[blocker_id, document.version] = document.report
        if reported.command_id and reported.result:
            answers = self.answered.setdefault(CommandId(reported.command_id), set())
            answers.add((reported.result, reported.position))
        news = before is None or before.report != document.report
        self.say(
            "{} reports {} {} {} (shadow {})",
            blocker_id, reported.position, reported.occupancy, reported.result, document.version,
        )  # fmt: skip
        self.emit("shadow updated", doors.Heard(blocker_id, document, news), self.now)

    def desired(self, blocker_id: BlockerId, command: Command) -> None:
        """The service's command is in the shadow; the device hears a delta."""
        shadow = self.shadows.get(blocker_id)
        if shadow:
            self.reports[blocker_id, shadow.version] = shadow.report
        self.say("    the shadow of {} desires {}", blocker_id, command.position)
        self.devices[blocker_id].hear_delta()

    def shadow_read(self, blocker_id: BlockerId) -> tuple[Command | None, int]:
        """What a device reads: the desired command, and the shadow's version (0: there is none)."""
        shadow = self.shadows.get(blocker_id)
        return self.shadows.desired(blocker_id), shadow.version if shadow else 0

    # -- time and mail

    def deliver(self, message: Message) -> bool:
        """Hand an event to its function; what fails comes again, or ends in the failure queue.

        Returns whether anything ran.
        """
        at = self.now if message.kind == "webhook" else message.at
        name = message.payload if message.kind == "tick" else message.kind
        if message.kind == "tick" and self._idle(name, at):
            self.invariants.idled(name, at)
            return False
        self.say("{} of {:%H:%M:%S} comes{}", name, message.at, " again" if message.tries else "")
        if message.poison:
            self.mail.failed(message, self.now)
            return False
        handle = partial(self.house.handle, self.ports, message.kind, message.payload, at)
        self.invariants.memory.looked_at = []
        phones_since = self.phones.clock
        outcome = self.invoke(name, handle, now=at, event=message.payload)
        if name == "erase_accounts":
            self.phones.erased(phones_since)
        if isinstance(outcome.error, ParkingError):
            raise Violation(0, f"{name} can never be handled: {outcome.error!r}") from outcome.error
        if outcome.error:
            self.say("    {} failed: {}", name, type(outcome.error).__name__)
            self.mail.failed(message, self.now)
        else:
            self._handled(message, at, outcome.disturbed)
        return True

    def _idle(self, schedule: str, at: datetime) -> bool:
        """Runs that read an empty index and do nothing else are skipped; most are such."""
        counts_the_fleet = schedule == "check_health" and at.minute % COUNT_EVERY_MINUTES == 0
        return not counts_the_fleet and self.store.first_due(STEP_OF[schedule], at) is None

    def _handled(self, message: Message, at: datetime, disturbed: bool) -> None:
        """Note what was handled, and check what must hold if nothing disturbed it."""
        told: tuple[BlockerId, ...] = ()
        match message.payload:
            case doors.Presence() as presence:
                self.invariants.seen(presence)
                told = (presence.blocker_id,)
            case doors.Heard() as heard:
                told = (heard.blocker_id,) if heard.news else ()
            case (before, Reservation() as after):
                told = blockers_to_tell(before, after)
            case Notification() as notice:
                self.invariants.knocked(notice)
                if not disturbed:
                    self.phones.knocked(notice)
            case schedule if message.kind == "tick" and not disturbed:
                self.invariants.ticked(schedule, at)
        for blocker_id in () if disturbed else told:
            self.invariants.reconciled(blocker_id, at)

    def advance(self, target: datetime) -> None:
        """Let time pass: devices move, schedules tick, mail arrives, each at its own time."""
        if target - self._next_tick > TICKS_CAUGHT_UP * MINUTE:
            self._next_tick = target.replace(second=0, microsecond=0) - (TICKS_CAUGHT_UP - 1) * MINUTE
        device, device_at = self._next_device(target)
        while True:
            mail_at = self.mail.next_at()
            at = min(self._next_tick, device_at or self._next_tick, mail_at or self._next_tick)
            if at > target:
                break
            self.now = max(self.now, at)
            if device and device_at == at:
                device.happen()
                device, device_at = self._next_device(target)
            elif mail_at == at:
                if self.deliver(self.mail.take()):
                    device, device_at = self._next_device(target)
            else:
                self._next_tick += MINUTE
                soon = at + PROMPT
                self._tick(at, alone=(device_at is None or device_at > soon) and (mail_at is None or mail_at > soon))
        self.now = max(self.now, target)

    def _next_device(self, target: datetime) -> tuple[Device | None, datetime | None]:
        first: tuple[Device | None, datetime | None] = (None, None)
        for device in self.devices.values():
            at = device.skipped_to(target)
            if at and at <= target and (first[1] is None or at < first[1]):
                first = (device, at)
        return first

    def _tick(self, time: datetime, *, alone: bool) -> None:
        """EventBridge's minute. Runs that all find nothing are not even posted, if nothing else happens meanwhile."""
        alone = alone and all(self._idle(schedule, time) for schedule in doors.SWEEPS)
        for schedule in doors.SWEEPS:
            fate = self.draws.weighted(_TICKS) if self._sloppy else "prompt"
            if fate == "skipped":
                continue
            if alone and fate == "prompt":
                self.invariants.idled(schedule, time)
                continue
            late = timedelta(minutes=1 + self.draws.draw(10)) if fate == "late" else PROMPT
            self.mail.post("tick", schedule, time, time + late)
            if fate == "doubled":
                self.mail.post("tick", schedule, time, time + late + timedelta(seconds=20))


def _stored_500(error: BaseException | None) -> bool:
    return isinstance(error, CardError) and STORED_500 in str(error)
