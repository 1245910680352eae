"""Business metrics as EMF lines in the log; CloudWatch makes metrics of them (namespace and service: template.yaml)."""

import warnings
from collections.abc import Mapping
from datetime import timedelta

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

# Most invocations have nothing to count, which Powertools would say in a line of plain text each time.
warnings.filterwarnings("ignore", message="No application metrics to publish")

metrics = Metrics()


def report_lag(step: str, lag: timedelta, left: int) -> None:
    """How late a schedule began with its step, and what it did not get to. 0 is news too: silence would be none.

    A line of its own, because a dimension holds for all metrics of a line.
    """
    line = EphemeralMetrics()
    line.add_dimension("step", step)
    line.add_metric("DueLag", MetricUnit.Seconds, lag.total_seconds())
    line.add_metric("DueLeft", MetricUnit.Count, left)
    line.flush_metrics()


def count(numbers: Mapping[str, int]) -> None:
    """What one commit, or one item of a schedule, adds. A line of its own: threads must not share `metrics`."""
    line = EphemeralMetrics()
    for name, number in numbers.items():
        line.add_metric(name, MetricUnit.Count, number)
    line.flush_metrics()
