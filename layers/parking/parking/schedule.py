"""The door for scheduled events: their own time is now, what failed is logged and raised, and lateness is measured."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from parking import wiring
from parking.bad_input import BadInput
from parking.metrics import report_lag
from parking.services.ports import Key
from parking.services.sweeping import Pace, Swept

SPARE_MS = 25_000
"""No item is begun when less of the function's time is left: one hanging call to Stripe (3 tries of 8 s) still ends."""

logger = Logger()


class SweepFailed(Exception):
    """Some items could not be moved. The others were; the schedule's retry and the next tick try these again."""


def pace(context: LambdaContext, spare_ms: int = SPARE_MS) -> Pace:
    """Some items at once, and no new one when the function's own time nears its end."""
    return Pace(wiring.in_parallel(), lambda: context.get_remaining_time_in_millis() > spare_ms)


def run(event: dict[str, Any], context: LambdaContext, sweep: Callable[[datetime, Pace], Swept]) -> dict[str, int]:
    """One tick. Raises BadInput for an event without a time, and SweepFailed after all that could be done is done."""
    swept = sweep(_time_of(event), pace(context))
    report_lag(swept.step, swept.lag, swept.left)
    for key, failure in swept.failures.items():
        logger.error("item failed", key=key, exc_info=failure)
    if swept.failures:
        raise SweepFailed(f"{len(swept.failures)} items failed, {swept.moved} moved")
    if swept.moved or swept.left:
        logger.info("swept", moved=swept.moved, left=swept.left)
    return {"moved": swept.moved, "left": swept.left}


def without(swept: Swept, told: Callable[[Key, Exception], bool]) -> Swept:
    """The run without the failures that `told` has told of: what waits for others is no failure of this run."""
    return replace(swept, failures={key: one for key, one in swept.failures.items() if not told(key, one)})


def _time_of(event: dict[str, Any]) -> datetime:
    """The event's own time in UTC. By hand, because form validation would be a third of a schedule's cold start."""
    try:
        time = datetime.fromisoformat(event["time"])
    except (KeyError, TypeError, ValueError):
        raise BadInput("time: is not a time like 2026-01-31T09:30:00Z") from None
    if time.tzinfo is None:
        raise BadInput("time: says no time zone")
    return time.astimezone(UTC)
