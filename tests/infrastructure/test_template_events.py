"""Nothing that happens is lost in silence: every asynchronous trigger retries, then leaves a message and an alarm."""

from __future__ import annotations

import json

from tests.infrastructure.expanded import Template, called, referred


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
        (referred(mapping["EventSourceArn"]), called(mapping["FunctionName"]))
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
        if called(mapping["FunctionName"]) == "PushNotifications"
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
    scheduled = {called(rule["Targets"][0]["Arn"]) for rule in template.of_type("AWS::Events::Rule").values()}
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
    asynchronous = {
        called(permission["FunctionName"])
        for permission in template.of_type("AWS::Lambda::Permission").values()
        if permission["Principal"] in {"events.amazonaws.com", "iot.amazonaws.com"}
    } - {"BlockersAdmit"}  # AWS IoT waits for its answer; the device asks again
    configs = template.of_type("AWS::Lambda::EventInvokeConfig")

    assert {referred(config["FunctionName"]) for config in configs.values()} == asynchronous
    assert {config["Qualifier"] for config in configs.values()} == {"live"}
    for name, config in configs.items():
        assert config["MaximumRetryAttempts"] == 2, name
        assert queue_behind(template, config["DestinationConfig"]["OnFailure"]["Destination"]), name
