"""Every minute: which blockers have fallen silent or are unwell. Each change is logged and counted once."""

from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from parking import wiring
from parking.domain.health import Condition, Health
from parking.metrics import count, metrics
from parking.schedule import run
from parking.services import watching
from parking.services.sweeping import Pace, Swept

TURNED = {
    Health.ONLINE: "BlockersTurnedOnline",
    Health.SUSPECT: "BlockersTurnedSuspect",
    Health.OFFLINE: "BlockersTurnedOffline",
    Health.MISSING: "BlockersTurnedMissing",
}
BEGUN = {
    Condition.LOW_BATTERY: "BlockersLowBattery",
    Condition.TAMPER: "BlockersTampered",
    Condition.LEFT_OPEN: "BlockersLeftOpen",
    Condition.JAMMED: "BlockersJammed",
    Condition.SENSOR_FAULT: "BlockersSensorFault",
}
COUNTED = {
    Health.ONLINE: "BlockersOnline",
    Health.SUSPECT: "BlockersSuspect",
    Health.OFFLINE: "BlockersOffline",
    Health.MISSING: "BlockersMissing",
}

logger = Logger()


def _tell(change: watching.Change) -> None:
    before, after = change.before, change.blocker.watch
    if after.health is not before.health:
        count({TURNED[after.health]: 1})
    if begun := after.conditions - before.conditions:
        count({BEGUN[condition]: 1 for condition in begun})
    logger.warning(
        "blocker health",
        blocker_id=change.blocker.blocker_id,
        spot_id=change.blocker.spot_id,
        health=after.health,
        was=before.health,
        begun=sorted(begun),
        ended=sorted(before.conditions - after.conditions),
    )


def _count(now: datetime) -> None:
    """The fleet in numbers. Who is missing has had an alarm of its own, and is no part of what is out now."""
    fleet = watching.fleet(wiring.store(), now)
    if fleet is None:
        return
    for health, name in COUNTED.items():
        metrics.add_metric(name, MetricUnit.Count, fleet[health])
    out = fleet[Health.SUSPECT] + fleet[Health.OFFLINE]
    share = 100 * out / max(1, out + fleet[Health.ONLINE])
    metrics.add_metric("BlockersUnreachablePercent", MetricUnit.Percent, share)


def _check(now: datetime, pace: Pace) -> Swept:
    swept = watching.check_health(wiring.store(), wiring.shadows(), now, _tell, pace)
    _count(now)
    return swept


@metrics.log_metrics
@logger.inject_lambda_context(correlation_id_path=correlation_paths.EVENT_BRIDGE, clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Look at the blockers that are due, as of the event's own time."""
    return run(event, context, _check)
