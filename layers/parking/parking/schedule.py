"""The door for scheduled events: their own time is now, and what failed is logged and raised."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from pydantic import AwareDatetime, BaseModel

from parking.operators import operator_input
from parking.services.schedules import Swept

logger = Logger()


class Tick(BaseModel):
    """What matters of a scheduled event."""

    time: AwareDatetime


class SweepFailed(Exception):
    """Some items could not be moved. The others were; the schedule's retry and the next tick try these again."""


def run(event: dict[str, Any], sweep: Callable[[datetime], Swept]) -> dict[str, int]:
    """One tick. Raises BadInput for an event without a time, and SweepFailed after all that could be done is done."""
    swept = sweep(operator_input(Tick, event).time.astimezone(UTC))
    for key, failure in swept.failures.items():
        logger.error("item failed", key=key, exc_info=failure)
    if swept.failures:
        raise SweepFailed(f"{len(swept.failures)} items failed, {swept.moved} moved")
    if swept.moved:
        logger.info("swept", moved=swept.moved)
    return {"moved": swept.moved}
