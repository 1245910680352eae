"""Drivers with phones: they look, choose, book, pay, park and call off, and take their time between two taps."""

import threading
import time
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import httpx

from benchmarks.load.answers import Answer
from local.drivers import Driver
from tests.e2e.world import utc

# Between two taps, a triangle: three seconds on average. Without it fifty drivers would only measure their own queue.
THINK_SECONDS_MIN, THINK_SECONDS_USUAL, THINK_SECONDS_MAX = 1, 2, 6
# Who all began in the same second would come back in waves, and people do not.
FIRST_TAP_WITHIN_SECONDS = 30.0
PLANS = {"parks now": 4, "books ahead": 4, "looks around": 2}
TRIES = 3
LOOKS = 10
STAY = timedelta(hours=1)
# Everybody wants one of the nearest spots, at the same hours: so drivers meet.
POPULAR_SPOTS = 3
POPULAR_DAYS = range(1, 15)
POPULAR_HOURS = range(8, 18)
CALLS_OFF = 0.3

type Json = dict[str, Any]


class TimeIsUp(Exception):
    """The run is over; a driver stops wherever they are."""


class Person:
    """One driver, whose draws come from a seed of their own. `answers` is everybody's, and only grows."""

    def __init__(self, driver: Driver, centre: tuple[float, float], seed: str, answers: list[Answer]) -> None:
        self._driver = driver
        self._around = f"lat={centre[0]}&lon={centre[1]}"  # as far and as many as the API shows unasked
        self._draw = Random(seed)  # noqa: S311 - no secret is made of it
        self._answers = answers

    def lives(self, over: threading.Event) -> None:
        """One plan after the other until then."""
        plans = {"parks now": self._parks_now, "books ahead": self._books_ahead, "looks around": self._looks_around}
        self._over = over
        try:
            self._waits(self._draw.uniform(0, FIRST_TAP_WITHIN_SECONDS))
            while True:
                plans[self._draw.choices(list(PLANS), list(PLANS.values()))[0]]()
        except TimeIsUp:
            return

    # -- plans

    def _parks_now(self) -> None:
        """Book the nearest free spot from now on, wait for its barrier, drive on, and leave."""
        for _ in range(TRIES):
            now = datetime.now(UTC)
            window = f"starts_at={utc(now)}&ends_at={utc(now + STAY)}"
            found = self._gets("/spots", f"/spots?{self._around}&{window}&blocker_online=true")
            free = [one["spot_id"] for one in found["items"] if one["available"]] if found else []
            if not free:
                return
            spot_id = self._draw.choice(free[:POPULAR_SPOTS])
            self._gets("/spots/{spot_id}", f"/spots/{spot_id}")
            self._gets("/spots/{spot_id}/quote", f"/spots/{spot_id}/quote?{window}")
            stay = self._reserves({"spot_id": spot_id, "ends_at": utc(datetime.now(UTC) + STAY)})
            if stay:
                break
        else:
            return
        if not self._pays(stay) or not self._sees(stay, "guard", "RAISED"):
            return
        self._does(stay, "arrival")
        if self._sees(stay, "status", "ACTIVE"):
            self._does(stay, "departure")
        self._gets("/notifications", "/notifications?limit=10")
        self._gets("/reservations", "/reservations?limit=10")

    def _books_ahead(self) -> None:
        """Book one of the spots that everybody wants, at an hour when everybody wants it."""
        found = self._gets("/spots", f"/spots?{self._around}")
        if not found or not found["items"]:
            return
        spot_id = self._draw.choice(found["items"][:POPULAR_SPOTS])["spot_id"]
        self._gets("/spots/{spot_id}", f"/spots/{spot_id}")
        stay = None
        for _ in range(TRIES):
            starts_at = self._popular_time()
            self._gets("/spots/{spot_id}/availability", f"/spots/{spot_id}/availability?day={starts_at:%Y-%m-%d}")
            times = {"starts_at": utc(starts_at), "ends_at": utc(starts_at + STAY)}
            query = "&".join(f"{name}={value}" for name, value in times.items())
            quote = self._gets("/spots/{spot_id}/quote", f"/spots/{spot_id}/quote?{query}")
            if quote and quote["available"]:
                stay = self._reserves({"spot_id": spot_id, "quoted_amount": quote["amount"]} | times)
            if stay:
                break
        if stay is None or not self._pays(stay):
            return
        self._gets("/reservations/{reservation_id}", f"/reservations/{stay['reservation_id']}")
        self._gets("/notifications", "/notifications?limit=10")
        self._gets("/reservations", "/reservations?limit=10")
        if self._draw.random() < CALLS_OFF:
            self._does(stay, "cancellation")
            self._gets("/notifications", "/notifications?limit=10")

    def _looks_around(self) -> None:
        """Open the app, and close it again."""
        self._gets("/reservations", "/reservations?limit=10")
        self._gets("/notifications", "/notifications?unread=true&limit=10")
        self._gets("/wallet", "/wallet")
        self._gets("/spots", f"/spots?{self._around}")

    # -- steps

    def _popular_time(self) -> datetime:
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        day, hour = self._draw.choice(POPULAR_DAYS), self._draw.choice(POPULAR_HOURS)
        return today + timedelta(days=day, hours=hour)

    def _reserves(self, wish: Json) -> Json | None:
        return self._posts("/reservations", "/reservations", wish)

    def _pays(self, stay: Json) -> Json | None:
        self._gets("/wallet", "/wallet")
        wish = {"reservation_id": stay["reservation_id"], "method": "WALLET"}
        return self._posts("/payments", "/payments", wish)

    def _does(self, stay: Json, step: str) -> None:
        self._posts(f"/reservations/{{reservation_id}}/{step}", f"/reservations/{stay['reservation_id']}/{step}")

    def _sees(self, stay: Json, what: str, wanted: str) -> bool:
        """Look at the stay until it is so, and a few times at most: then something is wrong with the spot."""
        for _ in range(LOOKS):
            seen = self._gets("/reservations/{reservation_id}", f"/reservations/{stay['reservation_id']}")
            shown = (seen or {}).get(what)
            if (shown["position"] if what == "guard" and shown else shown) == wanted:
                return True
        return False

    def _waits(self, seconds: float) -> None:
        if self._over.wait(seconds):
            raise TimeIsUp

    def _gets(self, route: str, path: str) -> Json | None:
        return self._asks("GET", route, path, None)

    def _posts(self, route: str, path: str, body: Json | None = None) -> Json | None:
        return self._asks("POST", route, path, body)

    def _asks(self, method: str, route: str, path: str, body: Json | None) -> Json | None:
        """One tap, after some thought. None where the answer is no. Raises TimeIsUp."""
        self._waits(self._draw.triangular(THINK_SECONDS_MIN, THINK_SECONDS_MAX, THINK_SECONDS_USUAL))
        asked_at, began = datetime.now(UTC), time.perf_counter()
        try:
            answer = self._driver.request(method, path, body)
        except httpx.TransportError as error:
            status, code, document = 0, type(error).__name__, None
        else:
            status, document = answer.status_code, answer.json() if answer.is_success else None
            code = "" if answer.is_success else _code(answer)
        milliseconds = 1000 * (time.perf_counter() - began)
        self._answers.append(Answer(f"{method} {route}", asked_at, milliseconds, status, code))
        return document


def _code(answer: httpx.Response) -> str:
    """The problem's code, or what the emulator said in its place."""
    try:
        return str(answer.json()["code"])
    except (ValueError, KeyError):
        return answer.text[:200]
