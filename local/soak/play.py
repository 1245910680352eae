"""The run itself: blockers of its own, chance that breaks them, drivers and operators who use them, and a quiet end.

An operator's word stands above the reservations for a quarter of an hour, so drivers come to one half of the blockers
and operators steer the other.
"""

import json
import random
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from local import blockers, city
from local.drivers import Account
from local.ports import HOST, Ports
from local.processes import Processes
from local.soak.drivers import Stays, Visitor, still_outside
from local.stack import Stack

OPERATORS_AT_ONCE = 6
DRIVERS = 6
WALLET_MINOR = 50_000
# How often chance strikes each blocker, in a minute. Its parts are slow or broken for 1 to 15 s then.
FAULTS_PER_MINUTE = {
    "car": 0.3,
    "network": 0.2,
    "reboot": 0.2,
    "jam": 0.1,
    "obstacle": 0.1,
    "sensor": 0.05,
    "sensor_fault": 0.05,
    "override": 0.05,
    "battery": 0.05,
    "tamper": 0.05,
    "late": 0.2,
    "doubled": 0.2,
    "clock": 0.1,
}
PATIENCE_SECONDS = 0.5  # so that the debounced sensor and the warning are under fire as well
QUIET_SECONDS_MAX = 300  # a command lives for two minutes, and the minute's schedule ends it
QUIET_POLL_SECONDS = 2.0
SHADOWS_AT_ONCE = 8

type Json = dict[str, Any]


@dataclass(slots=True)
class Outcome:
    """What is left to say. `offline`, `lost`, `pending`, `outside` and the verdict's violations have to be empty."""

    asked: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    stays: Counter[str] = field(default_factory=Counter)
    verdict: Json = field(default_factory=dict)
    offline: int = 0
    lost: list[str] = field(default_factory=list)
    """Blockers whose shadow holds a command that the device has not named, or has left without a result."""
    pending: list[str] = field(default_factory=list)
    """Blockers for which the service still waits."""
    outside: list[str] = field(default_factory=list)
    """Stays whose driver still stands before the barrier."""

    @property
    def good(self) -> bool:
        """Whether no car was lifted, every command has an end, none was lost, and every driver was let in."""
        silent = not (self.verdict["violations"] or self.verdict["open_commands"])
        left = self.offline or self.lost or self.pending or self.outside
        return silent and not left and self.verdict["commands"] > 0 and self.stays["let in"] > 0


class Street:
    """The blockers of this run, in a simulator of their own beside that of the city."""

    def __init__(self, stack: Stack, processes: Processes, ports: Ports, folder: Path, count: int) -> None:
        self._stack = stack
        self._lambda = stack.client("lambda")
        self._shadows = stack.client("iot-data")
        usual = next(wish for wish in city.load().wishes if wish["idle_position"] == "LOWERED")
        # Without a turnover the next driver may come at once.
        wishes = [usual | {"spot_id": f"soak-{number}", "turnover_minutes": 0} for number in range(count)]
        function = stack.outputs["ProvisionSpotFunctionName"]
        self.spot_of = {f"blocker-{wish['spot_id']}": wish["spot_id"] for wish in wishes}
        self.ids = blockers.provision(processes, function, ports.aws, wishes, folder)
        own = replace(ports, simulator=Ports.free().simulator)
        blockers.simulate(processes, own, self.ids, folder, PATIENCE_SECONDS)
        self.control = httpx.Client(base_url=f"http://{HOST}:{own.simulator}", timeout=60)

    def play(self, seconds: float, commands_per_second: float, seed: int, tell: Callable[[str], None]) -> Outcome:
        """Faults, drivers and operators for so long, then quiet."""
        outcome, stays = Outcome(), Stays()
        visitors = self._visitors(seed)
        self._chance(seed, FAULTS_PER_MINUTE)
        with ThreadPoolExecutor(DRIVERS) as pool:
            until = time.monotonic() + seconds
            visits = [pool.submit(visitor.play, until) for visitor in visitors]
            self._steer(outcome, seconds, commands_per_second, random.Random(seed))  # noqa: S311 - see Visitor
            for visit in visits:
                stays.add(visit.result())
        outcome.stays = stays.steps
        tell("everything is mended; nothing more is asked")
        self._chance(seed, {})
        self._wait_for_quiet(outcome, stays)
        outcome.verdict = self._get("/verdict")
        outcome.offline = len(self.ids) - int(self._get("/health")["connected"])
        return outcome

    def _visitors(self, seed: int) -> list[Visitor]:
        """Drivers with money, each with a part of their half of the street."""
        theirs = self.ids[: len(self.ids) // 2]
        visitors = []
        for number in range(min(DRIVERS, len(theirs))):
            driver = self._stack.new_driver(Account(f"soak.{uuid.uuid4().hex}@example.com", "Parking-2026-soak"))
            self._stack.deposit(driver, WALLET_MINOR)
            own = {blocker_id: self.spot_of[blocker_id] for blocker_id in theirs[number::DRIVERS]}
            visitors.append(Visitor(driver, own, self._put_car, seed + number))
        return visitors

    def _put_car(self, blocker_id: str, present: bool) -> None:
        self.control.put(f"/blockers/{blocker_id}/car", json={"present": present}).raise_for_status()

    def _chance(self, seed: int, per_minute: dict[str, float]) -> None:
        self.control.put("/chance", json={"seed": seed, "per_minute": per_minute}).raise_for_status()

    def _steer(self, outcome: Outcome, seconds: float, per_second: float, draw: random.Random) -> None:
        """Operators at a steady pace; who waits for an answer holds up no other."""
        begin = time.monotonic()
        with ThreadPoolExecutor(OPERATORS_AT_ONCE) as pool:
            answers = []
            while time.monotonic() - begin < seconds:
                steered = draw.choice(self.ids[len(self.ids) // 2 :])
                answers.append(pool.submit(self._ask, steered, draw.choice(["RAISE", "LOWER"])))
                due = begin + len(answers) / per_second
                time.sleep(max(0.0, due - time.monotonic()))
        outcome.asked = len(answers)
        outcome.answers.update(answer.result() for answer in answers)

    def _ask(self, blocker_id: str, action: str) -> str:
        wish = {"blocker_id": blocker_id, "action": action, "operator": "soak", "reason": "a run under faults"}
        answer = self._lambda.invoke(
            FunctionName=self._stack.outputs["BlockerCommandFunctionName"], Payload=json.dumps(wish).encode()
        )
        told = json.loads(answer["Payload"].read())
        return f"error {told['errorType']}" if "FunctionError" in answer else f"{action} {told['command_status']}"

    def _wait_for_quiet(self, outcome: Outcome, stays: Stays) -> None:
        """Until every driver is in, and no shadow and no command at the service is open.

        What is still open at the deadline is the outcome.
        """
        deadline = time.monotonic() + QUIET_SECONDS_MAX
        waiting = still_outside(stays.waiting)
        while waiting and time.monotonic() < deadline:
            time.sleep(QUIET_POLL_SECONDS)
            waiting = still_outside(waiting)
        outcome.outside = [reservation_id for _, reservation_id in waiting]
        open_ids = list(self.ids)
        with ThreadPoolExecutor(SHADOWS_AT_ONCE) as pool:
            while open_ids and time.monotonic() < deadline:
                time.sleep(QUIET_POLL_SECONDS)
                shadows_open = pool.map(self._shadow_is_open, open_ids)
                open_ids = [blocker_id for blocker_id, is_open in zip(open_ids, shadows_open, strict=True) if is_open]
            outcome.lost = [*open_ids]
            asked = list(self.ids)
            outcome.pending = asked
            while asked and time.monotonic() < deadline:
                statuses = list(pool.map(self._statuses, asked))
                for told in statuses:
                    if "PENDING" not in told:
                        outcome.statuses.update(told)
                asked = [each for each, told in zip(asked, statuses, strict=True) if "PENDING" in told]
                outcome.pending = asked

    def _shadow_is_open(self, blocker_id: str) -> bool:
        answer = self._shadows.get_thing_shadow(thingName=blocker_id, shadowName="barrier")
        state = json.loads(answer["payload"].read())["state"]
        desired, reported = state.get("desired"), state.get("reported", {})
        if desired is None:
            return False
        return reported.get("command_id") != desired["command_id"] or "result" not in reported

    def _statuses(self, blocker_id: str) -> list[str]:
        """What became of the blocker's last commands, as the service knows it."""
        answer = self._lambda.invoke(
            FunctionName=self._stack.outputs["SpotReportFunctionName"],
            Payload=json.dumps({"spot_id": self.spot_of[blocker_id], "days": 1}).encode(),
        )
        return [command["status"] for command in json.loads(answer["Payload"].read())["commands"]]

    def _get(self, path: str) -> Json:
        document: Json = self.control.get(path).raise_for_status().json()
        return document
