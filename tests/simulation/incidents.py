"""What happens to the machines, and what operators do."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from parking.domain.audit import Action, Word
from parking.domain.spot import ServiceState, Spot
from parking.services import operating, spots
from parking.services.reconciling import compare
from tests.simulation.bank import Bank
from tests.simulation.device import Device
from tests.simulation.draws import Weighted
from tests.simulation.keypads import guess
from tests.simulation.stripe import FOREIGN_INTENT

if TYPE_CHECKING:
    from tests.simulation.world import World

STRANGER = "a stranger"
HALF_OPEN = timedelta(minutes=45)  # nobody tells that the device has gone: it is only silent
STEERING = (
    Action.LOWER,
    Action.RAISE,
    Action.RESYNC,
    Action.OUT_OF_SERVICE,
    Action.IN_SERVICE,
    Action.IN_SERVICE,
)


class Incidents:
    """`happen` lets one thing go wrong, or go right again."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.bank = Bank(world)
        self._table: Weighted[Callable[[Device], None]] = Weighted(
            [
                (self._car, 10),
                (self._link, 6),
                (self._reboot, 2),
                (self._jam, 3),
                (self._obstacle, 2),
                (self._sensor, 3),
                (self._by_hand, 2),
                (self._battery, 3),
                (self._tamper, 2),
                (self._slow, 5),
                (self._keypad, 3),
                (self._mend, 6),
                (self._operator, 8),
                (self._provision, 6),
                (self._foreign_webhook, 1),
                (self._bank, 8),
                (self._books, 2),
            ]
        )

    def happen(self) -> None:
        """One thing, at one of the spots."""
        device = self._world.draws.pick(list(self._world.devices.values()))
        self._world.draws.weighted(self._table)(device)

    def mend_everything(self) -> None:
        """Repair all machines and connect them; cars stay where they are. The banks make up their minds."""
        self.bank.come_to_an_end()
        for device in self._world.devices.values():
            device.mend()
            device.connect()

    def _say(self, what: str, device: Device) -> None:
        self._world.say("{}: {}", device.blocker_id, what)

    def _car(self, device: Device) -> None:
        if device.car:
            self._say("the car leaves", device)
            device.car_leaves()
        elif device.car_comes(STRANGER):
            self._say("a stranger parks", device)

    def _link(self, device: Device) -> None:
        if device.connected:
            self._say("the link breaks", device)
            device.disconnect(self._world.draws.pick((timedelta(seconds=90), timedelta(0), HALF_OPEN)))
        else:
            device.connect()

    def _reboot(self, device: Device) -> None:
        self._say("reboots", device)
        device.reboot()

    def _jam(self, device: Device) -> None:
        self._say("jams for some minutes", device)
        device.jam()

    def _obstacle(self, device: Device) -> None:
        self._say("meets an obstacle", device)
        device.push_against()

    def _sensor(self, device: Device) -> None:
        self._say("sensor mended" if device.sensor_fault else "sensor broken", device)
        device.break_sensor(not device.sensor_fault)

    def _by_hand(self, device: Device) -> None:
        self._say("worked by hand, or no longer", device)
        device.override(not device.manual_override)

    def _battery(self, device: Device) -> None:
        percent = self._world.draws.pick((100, 9, 10, 50, 19, 22))
        self._say(f"battery at {percent} %", device)
        device.run_down(percent)

    def _tamper(self, device: Device) -> None:
        self._say("is left alone" if device.tampered else "is broken open", device)
        device.tamper(not device.tampered)

    def _slow(self, device: Device) -> None:
        device.latency = timedelta(seconds=self._world.draws.pick((0.2, 5, 117, 118, 119, 60, 150)))
        self._say(f"answers after {device.latency}", device)

    def _keypad(self, device: Device) -> None:
        guess(self._world, device)

    def _mend(self, device: Device) -> None:
        self._say("mended", device)
        device.mend()

    def _operator(self, device: Device) -> None:
        world = self._world
        action = world.draws.pick(STEERING)
        self._say(f"an operator asks for {action}", device)
        word = Word(operator="Olga", reason="a call from the street", request_id=str(world.now), at=world.now)
        world.invoke(
            "command",
            lambda: operating.obey(world.ports.store, world.ports.shadows, device.blocker_id, action, word),
            now=world.now,
        )

    def _provision(self, device: Device) -> None:
        world = self._world
        stored = next(s for s in world.store.all_of(Spot) if s.blocker_id == device.blocker_id)
        other_price = replace(stored.tariff, price_per_hour_minor=world.draws.pick((240, 241, 500)))
        wish = replace(stored, version=0, tariff=replace(other_price, version=1), service_state=ServiceState.IN_SERVICE)
        new_certificate = world.draws.chance(800)
        self._say(f"an operator provisions {other_price.price_per_hour_minor}", device)
        world.invoke(
            "provision",
            lambda: spots.provision(world.ports.store, world.ports.things, wish, new_certificate=new_certificate),
            now=world.now,
        )

    def _bank(self, _: Device) -> None:
        self.bank.act()

    def _books(self, _: Device) -> None:
        """An operator compares the ledger with Stripe in the middle of it all: nothing is charged or lost by that."""
        world = self._world
        since = world.profile.begins_at - timedelta(days=1)
        world.invoke(
            "reconcile",
            lambda: compare(world.ports.store, world.ports.cards, since, world.now + timedelta(days=1), world.now),
            now=world.now,
        )

    def _foreign_webhook(self, _: Device) -> None:
        self._world.emit("webhook", ("payment_intent.succeeded", FOREIGN_INTENT), self._world.now)
