"""What can go wrong at a call to the outside world, and when it does."""

from collections import Counter
from collections.abc import Callable
from enum import StrEnum

from parking.services.ports import (
    Busy,
    CardError,
    Conflict,
    EndpointGone,
    LoginsUnavailable,
    ShadowConflict,
    ShadowUnavailable,
    StoreUnavailable,
)
from tests.simulation.draws import Draws, Weighted

LONGEST_DISTANCE = 14  # calls between the start of an invocation and its fault
SELDOM = {
    "sign out": 6,
    "register phone": 6,
    "prefer": 3,
    "search": 4,
    "list": 4,
    "provision": 4,
    "deposit": 8,
    "pay by card": 12,
    "withdraw": 6,
    "save card": 5,
    "remove card": 5,
    "prefer card": 3,
    "webhook": 6,
    "payment changed": 8,
    "reconcile": 30,
    "close account": 6,
}
"""Invocations that come seldom: struck more often, in so many of their calls, so that a run reaches each fault."""
SELDOM_PER_MILLE = 500
SELDOM_CALLED = (
    "cards.refunds_of",
    "cards.detach",
    "cards.delete_customer",
    "logins.delete",
    "push.remove",
    "store.blockers_by_health",
)
"""Calls that come once in many runs: struck right there, as often as such an invocation."""
RACE_DEPTH_MAX = 2
RACE_WEIGHT = 4


class Crash(BaseException):
    """The Lambda function died here: no `except Exception` of the code under test may catch it."""


class Outage(Exception):
    """An AWS call failed in a way that no adapter translates: a timeout, a 5xx."""


class Fault(StrEnum):
    """One way of going wrong."""

    RACE = "race"
    """Not an error: something else happens first, between what was read before and this call."""
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"
    """5xx, or a timeout of a call that did nothing."""
    APPLIED_BUT_LOST = "timed out but applied"
    CONFLICT = "conflict"
    CONFLICT_BUT_APPLIED = "conflict with its own retry"
    """The SDK tried again after a timeout, and its first try had been applied."""
    STORED_500 = "Stripe's stored 500"
    ENDPOINT_GONE = "endpoint gone"
    STALE_INDEX = "stale index"


_EVERYWHERE = (Fault.RACE, Fault.CRASH_BEFORE, Fault.CRASH_AFTER)
_READ = (*_EVERYWHERE, Fault.THROTTLED, Fault.UNAVAILABLE)
_WRITE = (*_READ, Fault.APPLIED_BUT_LOST)
_REMOTE = (*_EVERYWHERE, Fault.UNAVAILABLE)

FAULTS: dict[str, tuple[Fault, ...]] = {
    "store.get": _READ,
    "store.get_many": _READ,
    "store.calendar": _READ,
    "store.page": _READ,
    "store.push_devices": _READ,
    "store.spots_near": _READ,
    "store.due": (*_READ, Fault.STALE_INDEX),
    "store.commit": (*_WRITE, Fault.CONFLICT, Fault.CONFLICT_BUT_APPLIED),
    "store.forget": _WRITE,
    "shadows.get": _REMOTE,
    "shadows.desire": (*_REMOTE, Fault.APPLIED_BUT_LOST, Fault.CONFLICT),
    "cards.create_intent": (*_REMOTE, Fault.APPLIED_BUT_LOST, Fault.STORED_500),
    "cards.intent": _REMOTE,
    "cards.confirm_intent": (*_REMOTE, Fault.APPLIED_BUT_LOST, Fault.STORED_500),
    "cards.cancel_intent": (*_REMOTE, Fault.APPLIED_BUT_LOST),
    "cards.create_refund": (*_REMOTE, Fault.APPLIED_BUT_LOST, Fault.STORED_500),
    "cards.refund": _REMOTE,
    "cards.refunds_of": _REMOTE,
    "cards.create_customer": (*_REMOTE, Fault.APPLIED_BUT_LOST),
    "cards.create_setup": (*_REMOTE, Fault.APPLIED_BUT_LOST),
    "cards.setup": _REMOTE,
    "cards.detach": (*_REMOTE, Fault.APPLIED_BUT_LOST),
    "cards.delete_customer": (*_REMOTE, Fault.APPLIED_BUT_LOST),
    "cards.dispute": _REMOTE,
    "cards.lists": _REMOTE,
    "store.stripe_transactions": _READ,
    "store.blockers_by_health": _READ,
    "push.register": (*_REMOTE, Fault.APPLIED_BUT_LOST),
    "push.remove": (*_REMOTE, Fault.APPLIED_BUT_LOST),
    "push.publish": (*_REMOTE, Fault.APPLIED_BUT_LOST, Fault.ENDPOINT_GONE),
    "logins.delete": (*_REMOTE, Fault.APPLIED_BUT_LOST),
    "things.register": (*_REMOTE, Fault.APPLIED_BUT_LOST),
}
"""Every call of every port, with what can go wrong there. A run that has not reached each pair is not complete."""

_UNAVAILABLE: dict[str, Callable[[str], Exception]] = {
    "store": StoreUnavailable,
    "shadows": ShadowUnavailable,
    "cards": CardError,
    "push": Outage,
    "things": Outage,
    "logins": LoginsUnavailable,
}
_CONFLICT: dict[str, Callable[[str], Exception]] = {"store": Conflict, "shadows": ShadowConflict}


def error_of(call: str, fault: Fault) -> BaseException:
    """What the port raises: each error in the words of `services/ports.py`, or untranslated as an Outage."""
    port = call.partition(".")[0]
    match fault:
        case Fault.CRASH_BEFORE | Fault.CRASH_AFTER:
            return Crash(call)
        case Fault.THROTTLED:
            return Busy(f"{call}: throttled")
        case Fault.CONFLICT | Fault.CONFLICT_BUT_APPLIED:
            return _CONFLICT[port](f"{call}: {fault}")
        case Fault.ENDPOINT_GONE:
            return EndpointGone(call)
        case _:
            return _UNAVAILABLE[port](f"{call}: {fault}")


AFTER = (Fault.CRASH_AFTER, Fault.APPLIED_BUT_LOST, Fault.CONFLICT_BUT_APPLIED)

_DISTANCE = Weighted([(1, 10), *((n, 3 if n <= 8 else 1) for n in range(2, LONGEST_DISTANCE + 1))])


class FaultPlan:
    """Decides at which call of the running invocation a fault strikes; `seen` and `struck` are for the coverage."""

    def __init__(self, draws: Draws, chosen: frozenset[Fault]) -> None:
        self._draws = draws
        self._chosen = chosen
        self._per_mille = 0
        self._distance = -1
        self.struck_here = 0
        self.depth = 0
        self.struck: Counter[tuple[str, Fault]] = Counter()

    def begin(self, name: str) -> tuple[int, int]:
        """A new invocation, with one fault at most ahead; gives what `end` wants back."""
        outer = (self._distance, self.struck_here)
        self.struck_here = 0
        self.depth += 1
        self._distance = -1
        seldom = name in SELDOM
        if self._per_mille and self._draws.chance(SELDOM_PER_MILLE if seldom else self._per_mille):
            self._distance = 1 + self._draws.draw(SELDOM[name]) if seldom else self._draws.weighted(_DISTANCE)
        return outer

    def end(self, outer: tuple[int, int]) -> None:
        """The invocation is over; the one that it raced with goes on."""
        self._distance, struck_here = outer
        self.struck_here = struck_here
        self.depth -= 1

    def next(self, call: str) -> Fault | None:
        """The fault that strikes this call."""
        self._distance -= 1
        rare = call in SELDOM_CALLED and self._per_mille and not self.struck_here
        if self._distance != 0 and not (rare and self._draws.chance(SELDOM_PER_MILLE)):
            return None
        possible = [fault for fault in FAULTS[call] if fault in self._chosen]
        if Fault.RACE in possible:
            # A race needs the right one of many things to happen, so it is tried more often; but not without end.
            races = [Fault.RACE] * (1 if rare else RACE_WEIGHT)
            possible = possible[1:] if self.depth > RACE_DEPTH_MAX else races + possible[1:]
        if not possible:
            return None
        fault = self._draws.pick(possible)
        self.struck_here += 1
        self.struck[call, fault] += 1
        return fault

    def start(self, per_mille: int) -> None:
        """From here on so many invocations of a thousand are struck."""
        self._per_mille = per_mille

    def stop(self) -> None:
        """From here on nothing goes wrong any more."""
        self._per_mille = 0
        self._distance = -1
