"""Codes at the barriers: who asks for one, what is typed, and the judge of what may open."""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from parking.domain.ids import BlockerId, ReservationId
from parking.domain.offline_entry import step_at
from parking.domain.reservation import Reservation
from parking_blocker.contract import Position
from parking_blocker.machine import Verdict
from reservations.schemas import OfflineCodeOut
from tests.simulation import api_calls, reference
from tests.simulation.api_calls import ApiCall
from tests.simulation.draws import Weighted
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from datetime import datetime

    from tests.simulation.device import Device
    from tests.simulation.world import World

MOTION = timedelta(seconds=10)  # a warning, and the way down
GUESS = "12345678"
MOST_GUESSES = 7

_TYPES = Weighted([("own", 75), ("own, of before", 8), ("another's", 12), ("a guess", 5)])


class Codes:
    """Every code that was given, and which of them have opened. Believes nothing that a device says of itself."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._given: dict[tuple[BlockerId, str], tuple[ReservationId, datetime]] = {}
        self._opened: set[tuple[BlockerId, str]] = set()
        self._wrong: dict[BlockerId, int] = defaultdict(int)
        self._let_in: set[str] = set()

    def give(self, stay: Reservation, code: str) -> None:
        """The service gave it for the stay."""
        self._given.setdefault((stay.blocker_id, code), (stay.reservation_id, self._world.now))

    def has_let_in(self, reservation_id: ReservationId) -> bool:
        """Whether a barrier has opened for the stay's code."""
        return reservation_id in self._let_in

    def known_at(self, blocker_id: BlockerId) -> list[str]:
        """The codes that were given for a barrier, the oldest first."""
        return [code for at, code in self._given if at == blocker_id]

    def of(self, stay: Reservation) -> list[str]:
        """Those of one stay."""
        return [code for (_, code), given in self._given.items() if given[0] == stay.reservation_id]

    def answered(self, device: "Device", code: str, verdict: Verdict) -> None:
        """What a device made of it. Raises Violation."""
        key = (device.blocker_id, code)
        given = self._given.get(key)
        self._world.coverage.transition(f"code {verdict}")
        if verdict is Verdict.OPENS:
            self._check_opened(device, key)
            self._opened.add(key)
            self._let_in.add(device.stands_for or "")
            self._wrong[device.blocker_id] = 0
            return
        right = given == (device.stands_for, self._world.now) and key not in self._opened
        guessed_at = self._wrong[device.blocker_id] >= reference.WRONG_CODES_FREE
        if right and not guessed_at and device.forgot_at is None:
            raise Violation(12, f"{device.blocker_id} keeps out who has the code: {verdict}")
        self._wrong[device.blocker_id] += verdict is Verdict.WRONG

    def _check_opened(self, device: "Device", key: tuple[BlockerId, str]) -> None:
        given = self._given.get(key)
        if given is None or given[0] != device.stands_for:
            raise Violation(6, f"{device.blocker_id} stands for {device.stands_for}, and opens for {given}")
        if key in self._opened:
            raise Violation(6, f"{device.blocker_id} opens for the same code again")
        if device.clock_is_set and self._world.now - given[1] > reference.CODE_LASTS:
            raise Violation(6, f"{device.blocker_id} opens for a code that was given at {given[1]}")


def come(world: "World", ask: Callable[[ApiCall], Any], stay: Reservation) -> bool:
    """The driver is here, and where that lowers no barrier, types a code: whether the barrier went down for it."""
    if stay.arrival_requested_at is None or world.draws.chance(400):
        ask(api_calls.arrive(stay.user_id, stay.reservation_id))
        if world.busy or world.devices[stay.blocker_id].online or world.draws.chance(500):
            return False
        world.advance(world.now + reference.LOWER_WITHIN)
    return _come_in_by_code(world, ask, stay)


def _come_in_by_code(world: "World", ask: Callable[[ApiCall], Any], stay: Reservation) -> bool:
    answer = ask(api_calls.ask_code(stay.user_id, stay.reservation_id))
    if not isinstance(answer, OfflineCodeOut):
        return False
    world.codes.give(stay, answer.code)
    device = world.devices[stay.blocker_id]
    match world.draws.weighted(_TYPES):
        case "own":
            device.type_code(answer.code)
            if world.draws.chance(300):
                device.type_code(answer.code)
        case "own, of before":
            device.type_code(world.draws.pick(world.codes.of(stay)))
        case "another's":
            # As if its driver had got one: the service gives it only while that stay waits for its barrier.
            strangers = [one for one in world.reservations_at(stay.spot_id) if one.reservation_id != device.stands_for]
            if strangers:
                other = world.draws.pick(strangers)
                device.type_code(world.ports.codes.code(stay.blocker_id, other.reservation_id, step_at(world.now)))
        case _:
            device.type_code(GUESS)
    if world.busy:
        return False
    world.advance(world.now + MOTION)
    return device.position is Position.LOWERED


def guess(world: "World", device: "Device") -> None:
    """Somebody plays with the keypad, or knows a code that was given before."""
    known = world.codes.known_at(device.blocker_id)
    for _ in range(1 + world.draws.draw(MOST_GUESSES)):
        device.type_code(world.draws.pick([GUESS, *known]))
