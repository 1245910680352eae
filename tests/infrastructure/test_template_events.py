"""Nothing that happens is lost in silence: every asynchronous trigger retries, then leaves a message and an alarm."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from blockers import check_health
from parking.domain.due import Step
from parking.domain.health import Condition, Health
from tests.infrastructure.expanded import Template, referred

ROOT = Path(__file__).parents[2]
FUNCTIONS_FOLDER = ROOT / "functions"
METRICS_MODULE = ROOT / "layers/parking/parking/metrics.py"
RUNBOOK = ROOT / "docs/operations.md"
TWO_TICKS_SECONDS = 120  # as late as a step may be: design, invariant 10
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


def queue_behind(template: Template, destination: object) -> str:
    """The logical id of the queue that a failure destination names; fails when it is no queue of the stack."""
    name = referred(destination)
    assert name in template.of_type("AWS::SQS::Queue")
    return name


def test_a_failed_stream_record_is_retried_alone_and_then_kept(template: Template) -> None:
    for name, mapping in template.of_type("AWS::Lambda::EventSourceMapping").items():
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
        assert mapping["BisectBatchOnFunctionError"] is True, name
        assert mapping["MaximumRetryAttempts"] > 0, name
        assert 0 < mapping["MaximumRecordAgeInSeconds"] <= 24 * 3600, name
        assert queue_behind(template, mapping["DestinationConfig"]["OnFailure"]["Destination"]), name


def test_no_stream_is_read_from_the_middle(template: Template) -> None:
    for name, mapping in template.of_type("AWS::Lambda::EventSourceMapping").items():
        assert mapping["StartingPosition"] == "TRIM_HORIZON", name


def test_every_stream_has_one_reader(template: Template) -> None:
    readers = [
        (referred(mapping["EventSourceArn"]), referred(mapping["FunctionName"]))
        for mapping in template.of_type("AWS::Lambda::EventSourceMapping").values()
    ]

    assert sorted(readers) == [
        ("NotificationsTable", "PushNotifications"),
        ("PaymentsTable", "PaymentsSettleRefunds"),
        ("ReservationsTable", "BlockersOnReservationChange"),
    ]


def test_only_new_notifications_are_pushed(template: Template) -> None:
    [mapping] = [
        mapping
        for mapping in template.of_type("AWS::Lambda::EventSourceMapping").values()
        if referred(mapping["FunctionName"]) == "PushNotifications"
    ]
    [event_filter] = mapping["FilterCriteria"]["Filters"]

    assert json.loads(event_filter["Pattern"]) == {"eventName": ["INSERT"]}


def test_every_schedule_but_the_nightly_comparison_ticks_each_minute_and_passes_its_time_on(
    template: Template,
) -> None:
    for name, rule in template.of_type("AWS::Events::Rule").items():
        [target] = rule["Targets"]
        nightly = name == "PaymentsReconcileEveryNight"
        assert rule["ScheduleExpression"] == ("cron(15 2 * * ? *)" if nightly else "rate(1 minute)"), name
        # Input would replace the whole event, its time included.
        assert not {"Input", "InputPath", "InputTransformer"} & target.keys(), name


def test_operators_find_the_name_of_every_scheduled_function_to_run_it_for_another_time(template: Template) -> None:
    scheduled = {referred(rule["Targets"][0]["Arn"]) for rule in template.of_type("AWS::Events::Rule").values()}
    named = {
        referred(output["Value"])
        for name, output in template.outputs.items()
        if name == f"{output['Value'].get('Ref')}FunctionName"
    }

    assert scheduled <= named


def test_every_schedule_retries_and_has_a_dead_letter_queue(template: Template) -> None:
    for name, rule in template.of_type("AWS::Events::Rule").items():
        [target] = rule["Targets"]
        assert target["RetryPolicy"]["MaximumRetryAttempts"] > 0, name
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] > 0, name
        assert queue_behind(template, target["DeadLetterConfig"]["Arn"]), name


def test_eventbridge_may_write_to_the_dead_letter_queue_of_every_schedule(template: Template) -> None:
    [policy] = template.of_type("AWS::SQS::QueuePolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]
    sources = {referred(arn) for arn in statement["Condition"]["ArnEquals"]["aws:SourceArn"]}
    rules = template.of_type("AWS::Events::Rule")
    queues = {referred(rule["Targets"][0]["DeadLetterConfig"]["Arn"]) for rule in rules.values()}

    assert sources == set(rules)
    assert queues == {referred(queue) for queue in policy["Queues"]} == {referred(statement["Resource"])}


def test_every_topic_rule_has_an_error_action(template: Template) -> None:
    for name, rule in template.of_type("AWS::IoT::TopicRule").items():
        error_action = rule["TopicRulePayload"]["ErrorAction"]["Sqs"]
        assert queue_behind(template, error_action["QueueUrl"]), name
        assert referred(error_action["RoleArn"]) in template.of_type("AWS::IAM::Role"), name


def test_a_function_called_asynchronously_keeps_the_event_that_it_could_not_process(template: Template) -> None:
    called = {
        referred(permission["FunctionName"])
        for permission in template.of_type("AWS::Lambda::Permission").values()
        if permission["Principal"] in {"events.amazonaws.com", "iot.amazonaws.com"}
    } - {"BlockersAdmit"}  # AWS IoT waits for its answer; the device asks again
    configs = template.of_type("AWS::Lambda::EventInvokeConfig")

    assert {referred(config["FunctionName"]) for config in configs.values()} == called
    for name, config in configs.items():
        assert config["MaximumRetryAttempts"] == 2, name
        assert queue_behind(template, config["DestinationConfig"]["OnFailure"]["Destination"]), name


def test_every_failure_queue_has_one_alarm_that_tells_the_operators(template: Template) -> None:
    alarms = template.of_type("AWS::CloudWatch::Alarm")
    on_queues = [alarm for alarm in alarms.values() if alarm["Namespace"] == "AWS/SQS"]
    watched = Counter(referred(alarm["Dimensions"][0]["Value"]) for alarm in on_queues)

    assert watched == Counter(template.of_type("AWS::SQS::Queue").keys())
    for name, alarm in alarms.items():
        assert [referred(action) for action in alarm["AlarmActions"]] == ["OperatorsTopic"], name
        thresholds = {"DueLag": TWO_TICKS_SECONDS, "BlockersUnreachablePercent": 5}
        threshold = thresholds.get(alarm["MetricName"], 0)
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (threshold, "GreaterThanThreshold"), name


def test_every_alarm_says_what_has_happened(template: Template) -> None:
    descriptions = [alarm["AlarmDescription"] for alarm in template.of_type("AWS::CloudWatch::Alarm").values()]

    assert len(set(descriptions)) == len(descriptions)


def test_no_news_is_no_alarm_but_of_a_schedule_that_has_to_report_each_minute(template: Template) -> None:
    for name, alarm in template.of_type("AWS::CloudWatch::Alarm").items():
        silence = "breaching" if alarm["MetricName"] == "DueLag" else "notBreaching"
        assert alarm["TreatMissingData"] == silence, name


def test_every_step_has_an_alarm_on_its_lag_that_names_its_schedule(template: Template) -> None:
    late = {
        name: alarm
        for name, alarm in template.of_type("AWS::CloudWatch::Alarm").items()
        if alarm["MetricName"] == "DueLag"
    }
    told = template.of_type("AWS::Lambda::Function")["ExpireHolds"]["Environment"]["Variables"]
    steps = set()
    for name, alarm in late.items():
        dimensions = {one["Name"]: one["Value"] for one in alarm["Dimensions"]}
        assert dimensions.pop("service") == told["POWERTOOLS_SERVICE_NAME"], name
        [(dimension, step)] = dimensions.items()
        assert dimension == "step", name
        assert alarm["Namespace"] == told["POWERTOOLS_METRICS_NAMESPACE"], name
        # A minute may get two ticks and the next one none: so one quiet minute is no silence.
        assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Maximum", 60, 3), name
        assert alarm["AlarmDescription"].startswith(name.removesuffix("LateAlarm")), name
        assert step in alarm["AlarmDescription"], name
        steps.add(step)

    ticking = {name.removesuffix("EveryMinute") for name in template.of_type("AWS::Events::Rule")}
    assert steps == set(Step)
    assert {name.removesuffix("LateAlarm") for name in late} == ticking - {"PaymentsReconcileEveryNight"}
    assert '"DueLag"' in METRICS_MODULE.read_text()


def test_every_alarm_has_its_line_in_the_runbook(template: Template) -> None:
    first_cells = re.findall(r"^\| ([\w, ]+) \|", RUNBOOK.read_text(), re.MULTILINE)
    told = {name for cell in first_cells for name in cell.split(", ")}
    assert {name.removesuffix("Alarm") for name in template.of_type("AWS::CloudWatch::Alarm")} <= told


def test_every_alarm_watches_a_metric_that_the_code_emits(template: Template) -> None:
    emitted = {
        name
        for module in FUNCTIONS_FOLDER.rglob("*.py")
        for name in re.findall(r'add_metric\(\s*"(\w+)"', module.read_text())
    }
    emitted |= {*check_health.TURNED.values(), *check_health.BEGUN.values()}
    watched = set()
    told = template.of_type("AWS::Lambda::Function")["PaymentsReconcile"]["Environment"]["Variables"]
    for alarm in template.of_type("AWS::CloudWatch::Alarm").values():
        if alarm["Namespace"] != "AWS/SQS" and alarm["MetricName"] != "DueLag":
            # Powertools writes its metrics where the environment says; one elsewhere would never alarm.
            assert alarm["Namespace"] == told["POWERTOOLS_METRICS_NAMESPACE"]
            assert alarm["Dimensions"] == [{"Name": "service", "Value": told["POWERTOOLS_SERVICE_NAME"]}]
            assert alarm["Statistic"] == ("Maximum" if alarm["MetricName"].endswith("Percent") else "Sum")
            watched.add(alarm["MetricName"])

    money = {"RefundsRefused", "CardRefundsFailed", "DisputesOpened", "PaymentDifferences"}
    assert watched == money | {"GuardFailures", "ArrivalFailures"} | set(BLOCKER_ALARMS.values())
    assert watched < emitted


def in_the_runbook() -> set[str]:
    """The alarms that the table for operators explains."""
    rows = [line.split("|")[1] for line in RUNBOOK.read_text().splitlines() if line.startswith("| ")]
    return {name.strip() for row in rows for name in row.split(",")}


def test_every_state_of_a_blocker_that_is_not_well_has_its_metric_its_alarm_and_its_line_for_operators(
    template: Template,
) -> None:
    assert set(BLOCKER_ALARMS) == {*Health, *Condition} - {Health.ONLINE}
    assert set(check_health.TURNED) == set(check_health.COUNTED) == set(Health)
    assert set(check_health.BEGUN) == set(Condition)
    alarms = template.of_type("AWS::CloudWatch::Alarm")
    watched = {alarm["MetricName"]: name for name, alarm in alarms.items()}
    for state, metric in BLOCKER_ALARMS.items():
        assert watched[metric].removesuffix("Alarm") in in_the_runbook(), state


def test_every_alarm_has_its_line_for_operators(template: Template) -> None:
    assert {name.removesuffix("Alarm") for name in template.of_type("AWS::CloudWatch::Alarm")} <= in_the_runbook()


def test_failures_and_alarms_are_encrypted(template: Template) -> None:
    for name, queue in template.of_type("AWS::SQS::Queue").items():
        assert queue["SqsManagedSseEnabled"] is True, name
    for name, topic in template.of_type("AWS::SNS::Topic").items():
        assert referred(topic["KmsMasterKeyId"]) in template.of_type("AWS::KMS::Key"), name
