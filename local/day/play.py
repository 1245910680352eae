"""Play a day: spots of its own, several drivers at once, and then what the nightly reconciliation says of it."""

import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import batched
from typing import Any

from local import city
from local.day.journeys import Journey, Traveller, drawn
from local.drivers import Account
from local.errors import LocalError
from local.stack import Stack
from local.waiting import wait_until

DRIVERS_AT_ONCE = 4
JOURNEYS_PER_DRIVER = 3  # each may save three cards, and a driver keeps at most ten
SPOTS = 20
SETTLED_SECONDS_MAX = 120
PASSWORD = "Parking-2026-day"  # noqa: S105 (of accounts that the emulator forgets at its end)
A_MOMENT = timedelta(seconds=1)  # Stripe counts whole seconds

type Report = dict[str, Any]


@dataclass(frozen=True)
class Day:
    """What was played, and what the comparison of that time said."""

    journeys: tuple[Journey, ...]
    drivers: int
    report: Report
    wallet_difference_minor: int

    @property
    def difference_minor(self) -> int:
        """0 if the ledger, the wallets and Stripe say the same."""
        return int(self.report["difference_amount"]) + self.wallet_difference_minor


def play_day(stack: Stack, journeys: int, *, seed: int, on_done: Callable[[int], None]) -> Day:
    """Play so many journeys; `on_done` hears how many more are over. Raises LocalError where one goes wrong."""
    began_at = datetime.now(UTC).replace(microsecond=0)
    spot_ids = _provisioned(stack)
    plan = drawn(journeys, seed)

    def travelled(share: tuple[Journey, ...]) -> Traveller:
        account = Account(f"{uuid.uuid4().hex}@example.com", PASSWORD)
        traveller = Traveller(stack, stack.new_driver(account), spot_ids, began_at)
        for journey in share:
            traveller.travels(journey)
            on_done(1)
        return traveller

    with ThreadPoolExecutor(DRIVERS_AT_ONCE) as pool:
        try:
            travellers = list(pool.map(travelled, batched(plan, JOURNEYS_PER_DRIVER, strict=False)))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
        for traveller in travellers:
            wait_until(partial(_settled, traveller), "every payment to settle", timeout_seconds=SETTLED_SECONDS_MAX)
        wallets_minor = sum(abs(one) for one in pool.map(Traveller.wallet_difference_minor, travellers))
    report = reconciled(stack, began_at, datetime.now(UTC) + A_MOMENT)
    return Day(tuple(plan), len(travellers), report, wallets_minor)


def reconciled(stack: Stack, since: datetime, until: datetime) -> Report:
    """The report of payments.reconcile, invoked as operators do. Raises LocalError if it fails."""
    times = {"time": until.isoformat(), "since": since.isoformat(), "until": until.isoformat()}
    return _invoked(stack, "PaymentsReconcileFunctionName", times)


def _settled(traveller: Traveller) -> bool:
    return traveller.unsettled() == []


def _provisioned(stack: Stack) -> list[str]:
    """Spots for stays that begin later, so that they need no machine."""
    wish = city.load().wishes[0]
    day = uuid.uuid4().hex[:8]
    wishes = [wish | {"spot_id": f"day-{day}-{number:02}", "name": f"Day {number}"} for number in range(SPOTS)]
    return [_invoked(stack, "ProvisionSpotFunctionName", one)["spot_id"] for one in wishes]


def _invoked(stack: Stack, output: str, event: dict[str, Any]) -> dict[str, Any]:
    answer = stack.client("lambda").invoke(FunctionName=stack.outputs[output], Payload=json.dumps(event).encode())
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise LocalError(f"{output} failed: {said}")
    return said
