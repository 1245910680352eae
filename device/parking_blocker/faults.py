"""What can go wrong with a simulated blocker: each fault by its name, its value, and how chance makes and mends it."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from parking_blocker.simulated import SimulatedBlocker

type Value = bool | int | float


@dataclass(frozen=True, slots=True)
class Fault:
    """`key` and `kind` are what a request gives; chance takes `broken` and later, if there is one, `mended`."""

    key: str
    kind: type
    apply: Callable[[SimulatedBlocker, Value], Awaitable[None] | None]
    broken: Callable[[random.Random], Value]
    mended: Value | None


async def _set_network(simulated: SimulatedBlocker, online: Value) -> None:
    if online:
        simulated.connect()
    else:
        await simulated.disconnect(announced=False)


def _set_late(simulated: SimulatedBlocker, seconds: Value) -> None:
    simulated.line.late_seconds = float(seconds)


def _set_doubled(simulated: SimulatedBlocker, doubled: Value) -> None:
    simulated.line.doubled = bool(doubled)


def _set_clock(simulated: SimulatedBlocker, wrong_seconds: Value) -> None:
    simulated.clock_wrong_by = timedelta(seconds=wrong_seconds)


FAULTS: Mapping[str, Fault] = {
    "car": Fault("present", bool, lambda on, value: on.barrier.set_car(bool(value)), lambda _: True, False),
    "network": Fault("online", bool, _set_network, lambda _: False, True),
    "reboot": Fault("off_seconds", float, lambda on, value: on.reboot(value), lambda draw: draw.uniform(0.1, 3), None),
    "jam": Fault("jammed", bool, lambda on, value: on.barrier.set_jammed(bool(value)), lambda _: True, False),
    "obstacle": Fault("met", bool, lambda on, _: on.barrier.meet_obstacle(), lambda _: True, None),
    "sensor": Fault("stuck", bool, lambda on, value: on.barrier.set_sensor_stuck(bool(value)), lambda _: True, False),
    "sensor_fault": Fault(
        "broken", bool, lambda on, value: on.barrier.set_sensor_fault(bool(value)), lambda _: True, False
    ),
    "override": Fault("by_hand", bool, lambda on, value: on.barrier.set_override(bool(value)), lambda _: True, False),
    "battery": Fault(
        "percent", int, lambda on, value: on.barrier.set_battery(int(value)), lambda draw: draw.randrange(20), 100
    ),
    "tamper": Fault("opened", bool, lambda on, value: on.barrier.set_tamper(bool(value)), lambda _: True, False),
    "late": Fault("seconds", float, _set_late, lambda draw: draw.uniform(0.5, 5), 0.0),
    "doubled": Fault("doubled", bool, _set_doubled, lambda _: True, False),
    "clock": Fault("wrong_seconds", float, _set_clock, lambda draw: draw.uniform(-1e6, 1e6), None),
}
# How long chance leaves something broken.
BROKEN_SECONDS_MIN, BROKEN_SECONDS_MAX = 1.0, 15.0


def takes(fault: Fault, value: object) -> bool:
    """Whether a request's or a script's value fits."""
    if isinstance(value, bool):
        return fault.kind is bool
    return isinstance(value, (int, float) if fault.kind is float else fault.kind)


async def strike(simulated: SimulatedBlocker, name: str, value: Value) -> None:
    """Let a fault happen, or end."""
    simulated.judge.see_fault(name)
    applied = FAULTS[name].apply(simulated, value)
    if applied is not None:
        await applied


@dataclass(frozen=True, slots=True)
class Scripted:
    """A line of a script: this happens to this blocker so long after the start."""

    at_seconds: float
    blocker_id: str
    name: str
    value: Value


async def play(script: Sequence[Scripted], blockers: Mapping[str, SimulatedBlocker]) -> None:
    """Let everything in the script happen at its time."""
    loop = asyncio.get_running_loop()
    begin = loop.time()
    for line in sorted(script, key=lambda line: line.at_seconds):
        await asyncio.sleep(begin + line.at_seconds - loop.time())
        await strike(blockers[line.blocker_id], line.name, line.value)


@dataclass(slots=True)
class Chance:
    """Faults at random: `per_minute` says how often each strikes each blocker. The seed decides which, whom and how."""

    seed: int
    per_minute: Mapping[str, float]

    async def run(self, blockers: Mapping[str, SimulatedBlocker]) -> None:
        """Until it is cancelled; then everything that chance has broken is mended."""
        draw = random.Random(self.seed)  # noqa: S311  # nosec B311 - no secret is made of it
        names = sorted(name for name, rate in self.per_minute.items() if rate > 0)
        rates = [self.per_minute[name] for name in names]
        ids = sorted(blockers)
        mending: dict[tuple[str, str], float] = {}
        loop = asyncio.get_running_loop()
        next_at = loop.time()
        try:
            while names:
                next_at += draw.expovariate(sum(rates) * len(ids) / 60)
                await self._mend(blockers, mending, until=next_at)
                blocker_id, name = draw.choice(ids), draw.choices(names, rates)[0]
                value, lasts = FAULTS[name].broken(draw), draw.uniform(BROKEN_SECONDS_MIN, BROKEN_SECONDS_MAX)
                if FAULTS[name].mended is not None:
                    mending[blocker_id, name] = loop.time() + lasts
                await strike(blockers[blocker_id], name, value)
        finally:
            await self._mend(blockers, mending, until=None)

    async def _mend(
        self, blockers: Mapping[str, SimulatedBlocker], mending: dict[tuple[str, str], float], until: float | None
    ) -> None:
        """Mend each at its time, up to `until`; all at once if that is None."""
        loop = asyncio.get_running_loop()
        while mending and (until is None or min(mending.values()) <= until):
            (blocker_id, name), at = min(mending.items(), key=lambda item: item[1])
            if until is not None:
                await asyncio.sleep(at - loop.time())
            del mending[blocker_id, name]
            mended = FAULTS[name].mended
            if mended is not None:
                await strike(blockers[blocker_id], name, mended)
        if until is not None:
            await asyncio.sleep(until - loop.time())
