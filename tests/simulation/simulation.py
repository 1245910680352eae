"""One run: a world, its steps, and the quiet end at which everything has to come to rest."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from parking.domain.blocker import Position
from parking.domain.ids import BlockerId, DeviceId, SpotId, UserId
from parking.domain.spot import Location, Spot
from parking.domain.tariff import Tariff
from parking.services import spots
from tests.simulation import card_calls, doors, reference
from tests.simulation.coverage import Coverage
from tests.simulation.draws import Draws, Recording, Weighted
from tests.simulation.drivers import Driver
from tests.simulation.faults import Fault
from tests.simulation.house import MEMORY, House
from tests.simulation.incidents import Incidents
from tests.simulation.liveness import come_to_rest
from tests.simulation.phones import Phones
from tests.simulation.profile import Profile, draw_profile
from tests.simulation.violation import Violation
from tests.simulation.world import MINUTE, World

ALL_FAULTS = frozenset(Fault)
FIRST_DEPOSIT_MINOR = 10_000

_STEPS = Weighted([("drive", 88), ("time", 72), ("incident", 20), ("mail", 20), ("linger", 10)])
_MACHINE_STEPS = Weighted([("drive", 68), ("time", 72), ("incident", 48), ("mail", 12), ("linger", 10)])
_TIMES = Weighted([("seconds", 6), ("a minute", 6), ("to an edge", 12), ("some minutes", 5), ("hours", 1)])


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a run."""

    violation: Violation | None
    recording: Recording
    """The choices of the set-up, of each step, and, if it came so far, of the quiet end."""
    steps: int
    """How many steps it came; the last one may have broken an invariant."""
    coverage: Coverage
    world: World


class Simulation:
    """A world and who acts in it."""

    def __init__(self, draws: Draws, allowed: frozenset[Fault], house: House) -> None:
        draws.begin_step()
        self.profile = draw_profile(draws, allowed)
        self.world = World(draws, self.profile, house)
        self.drivers = [Driver(self.world, UserId(f"driver-{n + 1}")) for n in range(self.profile.drivers)]
        self.incidents = Incidents(self.world)
        self.world.race = self.race
        self._does: dict[str, Callable[[], None]] = {
            "drive": self.drive,
            "time": self.pass_time,
            "incident": self.incidents.happen,
            "mail": self.deliver_out_of_order,
            "linger": self.linger,
        }

    def set_up(self) -> None:
        """Spots on the map, blockers connected, and some money in most wallets; nothing goes wrong yet."""
        world = self.world
        for number in range(self.profile.spots):
            spot = _a_spot(number, self.profile)
            world.invoke(
                "provision",
                lambda wish=spot: spots.provision(  # type: ignore[misc]  # mypy cannot type a lambda's default
                    world.ports.store, world.ports.things, wish, new_certificate=False
                ),
                now=world.now,
            )
            world.add_spot(spot)
        for driver in self.drivers[: 3 if self.profile.theme == "machines" else 2]:
            self._fill_wallet(driver)
        if self.profile.theme in ("money", "mixed"):
            self.drivers[0].purse.save_card()
        Phones(world, self.drivers[0].user_id).register(DeviceId("phone"), "token")
        world.advance(world.now + timedelta(seconds=5))
        world.unleash()

    def step(self) -> None:
        """One thing happens."""
        table = _MACHINE_STEPS if self.profile.theme == "machines" else _STEPS
        self._does[self.world.draws.weighted(table)]()

    def drive(self) -> None:
        """One of the drivers does one thing, a moment later."""
        world = self.world
        world.advance(world.now + world.draws.pick(_MOMENTS))
        world.draws.pick(self.drivers).act()

    def pass_time(self) -> None:
        """The clock goes on: a little, a minute, or right to an instant at which something changes."""
        self.world.advance(max(self.world.now, self._later()))
        if self.world.draws.chance(400):
            self.world.draws.pick(self.drivers).go_on()

    def linger(self) -> None:
        """A car stays beyond its end, and somebody else has booked the spot next: until that driver is offered more."""
        world, draws = self.world, self.world.draws
        parked = [
            stay
            for stay in world.store.reservations
            if stay.status is reference.S.ACTIVE and world.devices[stay.blocker_id].car == stay.user_id
        ]
        if not parked:
            self.drive()
            return
        stay = draws.pick(parked)
        waiting = draws.pick([driver for driver in self.drivers if driver.user_id != stay.user_id])
        starts_at = waiting.book_behind(stay)
        for at in (stay.ends_at, starts_at - reference.WARN, starts_at + reference.OFFER):
            world.advance(max(world.now, at + draws.pick((MINUTE, timedelta(0), timedelta(seconds=1)))))
        for _ in range(3):
            waiting.go_on_now()

    def deliver_out_of_order(self) -> None:
        """Any message, whenever it should have come."""
        world = self.world
        if len(world.mail):
            world.deliver(world.mail.take_out_of_order(world.draws.draw(len(world.mail))))

    def race(self) -> None:
        """Something else happens between what a function has read and what it does next."""
        world = self.world
        world.now += world.draws.pick(_MOMENTS)
        at_work = world.invocation.name if world.invocation else ""
        # Often the very thing that the function at work has just read.
        if at_work == "check_expiring" and world.draws.chance(700):
            world.draws.pick(self.drivers).reserve_more()
        elif at_work in _RECONCILING and world.draws.chance(800):
            world.draws.pick(self.drivers).change_mind()
        elif world.draws.chance(400) and len(world.mail):
            self.deliver_out_of_order()
        else:
            world.draws.pick(self.drivers).act_at_once()

    def _later(self) -> datetime:
        world, draws = self.world, self.world.draws
        match draws.weighted(_TIMES):
            case "seconds":
                return world.now + timedelta(seconds=1 + draws.draw(30))
            case "a minute":
                return world.now.replace(second=0, microsecond=0) + MINUTE
            case "some minutes":
                return world.now + timedelta(minutes=2 + draws.draw(15))
            case "hours":
                return world.now + timedelta(hours=1 + draws.draw(30))
            case _:
                edges = self._edges()
                if not edges:
                    return world.now + MINUTE
                far_per_mille = 400 if self.profile.long_stays else 100
                near = edges[-3:] if draws.chance(far_per_mille) else edges[:5]
                return draws.pick(near) + draws.pick(_AROUND)

    def _edges(self) -> list[datetime]:
        """Instants ahead at which a rule changes its answer."""
        edges = set[datetime]()
        for reservation in self.world.store.reservations:
            if reservation.status in reference.FINAL:
                continue
            edges |= {reservation.hold_expires_at, reservation.ends_at, reservation.ends_at + reference.GRACE}
            edges |= {
                reservation.starts_at - reference.LEAD,
                reservation.starts_at,
                reservation.starts_at - reference.WARN,
                reservation.starts_at + reference.OFFER,
                reservation.ends_at - reference.TELL,
                reservation.ends_at - reference.TELL_TAKEN,
            }
            edges |= {e.hold_expires_at for e in reservation.extensions}
        return sorted(edge for edge in edges if edge > self.world.now)

    def _fill_wallet(self, driver: Driver) -> None:
        world = self.world
        answer = driver.ask(card_calls.deposit(driver.user_id, "first", FIRST_DEPOSIT_MINOR))
        intent_id = answer.client_secret.removesuffix("_secret")
        world.cards.pay(intent_id)
        world.invoke(
            "webhook",
            lambda: doors.webhook(world.ports, ("payment_intent.succeeded", intent_id), world.now),
            now=world.now,
        )


_RECONCILING = ("reservation changed", "shadow updated", "presence", "prepare_upcoming", "command")
_MOMENTS = (timedelta(milliseconds=137), timedelta(0), timedelta(seconds=2), timedelta(seconds=11))
_AROUND = (timedelta(0), timedelta(0), timedelta(seconds=1), -timedelta(seconds=1), MINUTE)


def simulate(draws: Draws, steps: int, allowed: frozenset[Fault] = ALL_FAULTS, house: House = MEMORY) -> Run:
    """Run a world for so many steps, then let it come to rest."""
    simulation = Simulation(draws, allowed, house)
    world = simulation.world
    violation: Violation | None = None
    done = 0
    try:
        simulation.set_up()
        while done < steps:
            done += 1
            draws.begin_step()
            simulation.step()
        draws.begin_step()
        come_to_rest(world, simulation.incidents)
    except Violation as broken:
        violation = broken
    world.coverage.faults = world.faults.struck
    return Run(violation, draws.recording, done, world.coverage, world)


def _a_spot(number: int, profile: Profile) -> Spot:
    return Spot(
        spot_id=SpotId(f"spot-{number + 1}"),
        name=f"Marktplatz {number + 1}",
        address=f"Marktplatz {number + 1}, 10117 Berlin",
        location=Location(52.5163, 13.3777 + number / 10_000),
        time_zone="Europe/Berlin",
        tariff=Tariff(
            price_per_hour_minor=241,
            currency="EUR",
            step_minutes=profile.step_minutes,
            minimum_minutes=profile.minimum_minutes,
        ),
        blocker_id=BlockerId(f"blocker-{number + 1}"),
        turnover_minutes=profile.turnover_minutes,
        idle_position=Position.RAISED if profile.idle_raised else Position.LOWERED,
    )
