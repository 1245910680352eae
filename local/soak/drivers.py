"""Drivers of the run: they reserve a spot now, see it guarded, arrive, park and leave; chance breaks its barrier."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from local.drivers import Driver

STAY = timedelta(hours=1)
LOOK_SECONDS = 0.5
# Chance mends what it has broken within 15 s. Who is outside longer is looked at again when all is quiet.
PATIENCE_SECONDS = 20.0
LEAVES_BEFORE_THE_CAR = 0.2

type Json = dict[str, Any]


@dataclass(slots=True)
class Stays:
    """What became of the stays, step by step, and who was still before the barrier when the driver went on."""

    steps: Counter[str] = field(default_factory=Counter)
    waiting: list[tuple[Driver, str]] = field(default_factory=list)

    def add(self, other: "Stays") -> None:
        """Another driver's too."""
        self.steps += other.steps
        self.waiting += other.waiting


class Visitor:
    """One driver, with blockers that no other driver comes to."""

    def __init__(self, driver: Driver, spot_of: dict[str, str], park: Callable[[str, bool], None], seed: int) -> None:
        self._driver = driver
        self._spot_of = spot_of
        self._park = park
        self._draw = random.Random(seed)  # noqa: S311 - no secret is made of it

    def play(self, until: float) -> Stays:
        """One stay after the other until then, by the monotonic clock."""
        stays = Stays()
        while time.monotonic() < until:
            self._stay(self._draw.choice(sorted(self._spot_of)), stays)
        return stays

    def _stay(self, blocker_id: str, stays: Stays) -> None:
        wish = {"spot_id": self._spot_of[blocker_id], "ends_at": (datetime.now(UTC) + STAY).isoformat()}
        held = self._driver.post("/reservations", wish)
        if held.status_code != httpx.codes.CREATED:
            stays.steps[f"refused {held.json()['code']}"] += 1
            time.sleep(LOOK_SECONDS)
            return
        reservation_id = held.json()["reservation_id"]
        self._driver.post("/payments", {"reservation_id": reservation_id, "method": "WALLET"}).raise_for_status()
        stays.steps["paid"] += 1
        guarded = self._becomes(reservation_id, lambda stay: (stay["guard"] or {}).get("position") == "RAISED")
        stays.steps["guarded" if guarded else "not guarded in time"] += 1
        self._driver.post(f"/reservations/{reservation_id}/arrival").raise_for_status()
        if not self._becomes(reservation_id, lambda stay: stay["status"] == "ACTIVE"):
            stays.steps["not let in at once"] += 1
            stays.waiting.append((self._driver, reservation_id))
            return
        stays.steps["let in"] += 1
        self._park(blocker_id, True)
        early = self._draw.random() < LEAVES_BEFORE_THE_CAR
        if not early:
            self._park(blocker_id, False)
        self._driver.post(f"/reservations/{reservation_id}/departure").raise_for_status()
        stays.steps["left before the car" if early else "left"] += 1
        self._park(blocker_id, False)

    def _becomes(self, reservation_id: str, so: Callable[[Json], bool]) -> bool:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if so(self._driver.get(f"/reservations/{reservation_id}").raise_for_status().json()):
                return True
            time.sleep(LOOK_SECONDS)
        return False


def still_outside(waiting: Sequence[tuple[Driver, str]]) -> list[tuple[Driver, str]]:
    """Those whose stay has not begun yet."""
    return [
        (driver, reservation_id)
        for driver, reservation_id in waiting
        if driver.get(f"/reservations/{reservation_id}").raise_for_status().json()["status"] != "ACTIVE"
    ]
