"""What wakes an operator: each alarm has a metric that exists, a reason for its threshold, a line in the runbook."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

from blockers import check_health
from parking.domain.due import Step
from parking.domain.health import Condition, Health
from tests.infrastructure.expanded import Properties, Template, called, referred

ROOT = Path(__file__).parents[2]
RUNBOOK = ROOT / "docs/operations.md"
OURS = "SmartParking"
DASHBOARD_COLUMNS = 24

# (statistic, seconds, looks, of which so many, threshold) of every alarm that does not ring at the first one, and why.
TWO_TICKS = "as late as a step may be (design, invariant 10), three minutes because two ticks may fall into one of them"
REASONED: dict[str, tuple[tuple[str, int, int, int, int], str]] = {
    "ApiServerErrors": (("Sum", 60, 3, 2, 5), "a 503 now and then is tried again by the app"),
    "Throttles": (("Sum", 60, 5, 3, 0), "one burst is tried again by whoever called"),
    "ReservationStreamLate": (("Maximum", 60, 2, 2, 60_000), "PrepareUpcoming does the same each minute"),
    "PaymentStreamLate": (("Maximum", 60, 2, 2, 300_000), "after five minutes PaymentsSettleDue looks itself"),
    "NotificationStreamLate": (("Maximum", 60, 2, 2, 120_000), "two ticks, as late as a schedule's own notice may be"),
    "RefundBacklog": (("Maximum", 300, 2, 2, 3600), "twelve looks in vain"),
    "StripeUnavailable": (("Sum", 300, 3, 3, 0), "a look every five minutes: three in a row are an outage"),
    "BlockersUnreachable": (("Maximum", 300, 3, 2, 5), "single machines have an alarm of their own after a day"),
    "ExpireHoldsLate": (("Maximum", 60, 3, 3, 120), TWO_TICKS),
    "CheckExpiringLate": (("Maximum", 60, 3, 3, 120), TWO_TICKS),
    "AutoCompleteLate": (("Maximum", 60, 3, 3, 120), TWO_TICKS),
    "PrepareUpcomingLate": (("Maximum", 60, 3, 3, 120), TWO_TICKS),
    "PaymentsSettleDueLate": (("Maximum", 60, 3, 3, 120), TWO_TICKS),
    "AccountsEraseLate": (("Maximum", 60, 3, 3, 120), TWO_TICKS),
    "BlockersCheckHealthLate": (("Maximum", 60, 3, 3, 120), TWO_TICKS),
}
BLOCKER_ALARMS: dict[Health | Condition, str] = {
    Health.SUSPECT: "BlockersTurnedSuspect",
    Health.OFFLINE: "BlockersUnreachablePercent",  # single ones come and go; each has an alarm of its own after a day
    Health.MISSING: "BlockersTurnedMissing",
    Condition.LOW_BATTERY: "BlockersLowBattery",
    Condition.TAMPER: "BlockersTampered",
    Condition.LEFT_OPEN: "BlockersLeftOpen",
    Condition.JAMMED: "BlockersJammed",
    Condition.SENSOR_FAULT: "BlockersSensorFault",
}


def alarms_of(template: Template) -> dict[str, Properties]:
    """Every alarm by its name in the runbook."""
    return {name.removesuffix("Alarm"): alarm for name, alarm in template.of_type("AWS::CloudWatch::Alarm").items()}


def emitted() -> set[str]:
    """The name of every metric that our code writes: where it is written, or in the table that is looked up there."""
    tables = (check_health.TURNED, check_health.BEGUN, check_health.COUNTED)
    names = {name for table in tables for name in table.values()}
    for folder in ("functions", "layers/parking/parking"):
        for module in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(module.read_text())):
                names |= set(_written_by(node))
    return names


def _written_by(node: ast.AST) -> Iterator[str]:
    """The names in `add_metric("Name", …)`, in `count({"Name": …})`, and in what `journal.counted` gives to it."""
    match node:
        case ast.Call(func=ast.Attribute(attr="add_metric"), args=[ast.Constant(value=str(name)), *_]):
            yield name
        case ast.Call(func=ast.Name(id="count"), args=[ast.Dict(keys=keys)]):
            yield from _texts(*keys)
        case ast.FunctionDef(name="counted"):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Dict):
                    yield from _texts(*inner.keys)


def _texts(*nodes: ast.AST | None) -> Iterator[str]:
    for node in nodes:
        for inner in ast.walk(node) if node else ():
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
                yield inner.value


def widgets(template: Template) -> list[dict[str, Any]]:
    """The dashboard's, read as CloudWatch reads them: the references stand inside of texts."""
    [dashboard] = template.of_type("AWS::CloudWatch::Dashboard").values()
    found: list[dict[str, Any]] = json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]
    return found


def plotted(template: Template) -> list[list[str]]:
    """Namespace, name and dimensions of everything that the dashboard shows."""
    metrics = [one for widget in widgets(template) for one in widget["properties"].get("metrics", ())]
    return [[part for part in one if isinstance(part, str)] for one in metrics]


def test_every_failure_queue_has_one_alarm(template: Template) -> None:
    on_queues = [alarm for alarm in alarms_of(template).values() if alarm["Namespace"] == "AWS/SQS"]
    watched = Counter(referred(alarm["Dimensions"][0]["Value"]) for alarm in on_queues)

    assert watched == Counter(template.of_type("AWS::SQS::Queue").keys())


def test_every_stream_has_an_alarm_on_the_age_of_its_next_record(template: Template) -> None:
    on_streams = [alarm for alarm in alarms_of(template).values() if alarm["MetricName"] == "IteratorAge"]
    readers = template.of_type("AWS::Lambda::EventSourceMapping").values()

    assert {referred(alarm["Dimensions"][0]["Value"]) for alarm in on_streams} == {
        called(mapping["FunctionName"]) for mapping in readers
    }


def test_the_api_and_the_accounts_concurrency_are_watched(template: Template) -> None:
    alarms = alarms_of(template)
    errors, throttles = alarms["ApiServerErrors"], alarms["Throttles"]

    assert (errors["Namespace"], errors["MetricName"]) == ("AWS/ApiGateway", "5xx")
    assert errors["Dimensions"] == [{"Name": "ApiId", "Value": {"Ref": "HttpApi"}}]
    # Without a dimension it is the account's, as the limit is.
    assert (throttles["Namespace"], throttles["MetricName"]) == ("AWS/Lambda", "Throttles")
    assert "Dimensions" not in throttles


def test_an_alarm_rings_at_the_first_one_unless_a_reason_says_otherwise(template: Template) -> None:
    alarms = alarms_of(template)
    assert REASONED.keys() <= alarms.keys()
    for name, alarm in alarms.items():
        looks = alarm["EvaluationPeriods"]
        how = (alarm["Statistic"], alarm["Period"], looks, alarm.get("DatapointsToAlarm", looks), alarm["Threshold"])
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold", name
        if name in REASONED:
            assert how == REASONED[name][0], name
        else:
            assert how[2:] == (1, 1, 0), name
            assert alarm["Statistic"] == ("Maximum" if alarm["Namespace"] == "AWS/SQS" else "Sum"), name


def test_every_alarm_tells_the_operators_what_has_happened(template: Template) -> None:
    alarms = alarms_of(template)
    assert len({alarm["AlarmDescription"] for alarm in alarms.values()}) == len(alarms)
    for name, alarm in alarms.items():
        assert [referred(action) for action in alarm["AlarmActions"]] == ["OperatorsTopic"], name


def test_no_news_is_no_alarm_but_of_a_schedule_that_has_to_report_each_minute(template: Template) -> None:
    for name, alarm in alarms_of(template).items():
        silence = "breaching" if alarm["MetricName"] == "DueLag" else "notBreaching"
        assert alarm["TreatMissingData"] == silence, name


def test_every_step_has_an_alarm_on_its_lag_that_names_its_schedule(template: Template) -> None:
    late = {name: alarm for name, alarm in alarms_of(template).items() if alarm["MetricName"] == "DueLag"}
    steps = set()
    for name, alarm in late.items():
        [step] = [one["Value"] for one in alarm["Dimensions"] if one["Name"] == "step"]
        assert alarm["AlarmDescription"].startswith(name.removesuffix("Late")), name
        assert step in alarm["AlarmDescription"], name
        steps.add(step)

    ticking = {name.removesuffix("EveryMinute") for name in template.of_type("AWS::Events::Rule")}
    assert steps == set(Step)
    assert {name.removesuffix("Late") for name in late} == ticking - {"PaymentsReconcileEveryNight"}


def test_every_alarm_on_a_metric_of_ours_watches_one_that_the_code_emits_where_it_emits_it(template: Template) -> None:
    told = template.of_type("AWS::Lambda::Function")["PaymentsReconcile"]["Environment"]["Variables"]
    for name, alarm in alarms_of(template).items():
        if alarm["Namespace"].startswith("AWS/"):
            continue
        # Powertools writes its metrics where the environment says; one elsewhere would never alarm.
        dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        assert alarm["Namespace"] == told["POWERTOOLS_METRICS_NAMESPACE"] == OURS, name
        assert dimensions["service"] == told["POWERTOOLS_SERVICE_NAME"], name
        assert dimensions.keys() == {"service"} | ({"step"} if alarm["MetricName"] == "DueLag" else set()), name
        assert alarm["MetricName"] in emitted(), name


def test_what_the_code_emits_and_what_the_dashboard_shows_of_it_are_the_same(template: Template) -> None:
    assert {name for namespace, name, *_ in plotted(template) if namespace == OURS} == emitted()


def test_the_dashboard_asks_for_metrics_as_the_code_writes_them(template: Template) -> None:
    stepped = {"DueLag", "DueLeft"}
    steps = {(name, dimensions[1]) for namespace, name, *dimensions in plotted(template) if name in stepped}
    for namespace, name, *dimensions in plotted(template):
        if namespace == OURS:
            told = dict(zip(dimensions[::2], dimensions[1::2], strict=True))
            assert told.pop("service") == "smart-parking", name
            assert told.keys() == ({"step"} if name in stepped else set()), name

    assert steps == {(name, step) for name in stepped for step in Step}


def test_every_alarm_is_on_the_dashboard(template: Template) -> None:
    [shown] = [widget["properties"]["alarms"] for widget in widgets(template) if widget["type"] == "alarm"]
    named = [name.removeprefix("${").removesuffix("Alarm.Arn}") for name in shown]

    assert Counter(named) == Counter(alarms_of(template).keys())


def test_everything_that_an_alarm_watches_can_be_seen_on_the_dashboard(template: Template) -> None:
    seen = {(namespace, name) for namespace, name, *_ in plotted(template)}

    assert {(alarm["Namespace"], alarm["MetricName"]) for alarm in alarms_of(template).values()} <= seen


def test_no_widget_of_the_dashboard_hides_another(template: Template) -> None:
    boxes = [(one["x"], one["y"], one["x"] + one["width"], one["y"] + one["height"]) for one in widgets(template)]
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= DASHBOARD_COLUMNS
        assert 0 <= top < bottom
    for one, other in combinations(boxes, 2):
        apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
        assert apart, (one, other)


def in_the_runbook() -> list[str]:
    """The alarms that the tables for operators explain."""
    _, _, alarms = RUNBOOK.read_text().partition("## When an alarm rings")
    first_cells = re.findall(r"^\| (\w[\w, ]+) \|", alarms, re.MULTILINE)
    return [name for cell in first_cells if cell != "alarm" for name in cell.split(", ")]


def test_the_runbook_has_one_line_for_every_alarm_and_none_that_never_rings(template: Template) -> None:
    assert Counter(in_the_runbook()) == Counter(alarms_of(template).keys())


def test_every_state_of_a_blocker_that_is_not_well_has_its_metric_and_its_alarm(template: Template) -> None:
    assert set(BLOCKER_ALARMS) == {*Health, *Condition} - {Health.ONLINE}
    assert set(check_health.TURNED) == set(check_health.COUNTED) == set(Health)
    assert set(check_health.BEGUN) == set(Condition)
    assert set(BLOCKER_ALARMS.values()) <= {alarm["MetricName"] for alarm in alarms_of(template).values()}
