"""SAM's transform: a version of a function for each release, which a parameter names, called through its alias."""

import json
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.local.ministack_support import RunningMiniStack, eventually

TEMPLATE = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Parameters": {"Release": {"Type": "String"}, "Gradual": {"Type": "String", "Default": "false"}},
    "Resources": {
        "Released": {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "InlineCode": "def handler(event, context): raise ValueError(event)",
                "AutoPublishAlias": "live",
                "AutoPublishCodeSha256": {"Ref": "Release"},
                "DeploymentPreference": {"Enabled": {"Ref": "Gradual"}, "Type": "AllAtOnce"},
                "EventInvokeConfig": {
                    "MaximumRetryAttempts": 0,
                    "DestinationConfig": {
                        "OnFailure": {"Type": "SQS", "Destination": {"Fn::GetAtt": ["Failures", "Arn"]}}
                    },
                },
            },
        },
        "Failures": {"Type": "AWS::SQS::Queue"},
        "Rule": {
            "Type": "AWS::IoT::TopicRule",
            "Properties": {
                "TopicRulePayload": {
                    "Sql": {"Fn::Sub": "SELECT * FROM 'released/${AWS::StackName}'"},
                    "Actions": [{"Lambda": {"FunctionArn": {"Ref": "Released.Alias"}}}],
                }
            },
        },
    },
}


def deployed(running: RunningMiniStack, release: str) -> dict[str, str]:
    """A new stack of this release: its resources, and its own name as `stack`."""
    cloudformation, name = running.client("cloudformation"), f"released-{uuid4().hex[:8]}"
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=json.dumps(TEMPLATE),
        Parameters=[{"ParameterKey": "Release", "ParameterValue": release}],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources} | {"stack": name}


def test_a_version_is_made_for_the_release_that_a_parameter_names(patched: RunningMiniStack) -> None:
    resources = deployed(patched, "0123456789")
    assert "ReleasedVersion0123456789" in resources
    aliases = patched.client("lambda").list_aliases(FunctionName=resources["Released"])["Aliases"]
    assert [(alias["Name"], alias["FunctionVersion"]) for alias in aliases] == [("live", "1")]


def test_an_event_that_an_alias_was_called_with_fails_by_the_aliass_own_settings(patched: RunningMiniStack) -> None:
    resources, sqs = deployed(patched, "9876543210"), patched.client("sqs")
    patched.client("iot-data").publish(topic=f"released/{resources['stack']}", payload=b'{"said": "once"}')
    kept = eventually(lambda: sqs.receive_message(QueueUrl=resources["Failures"]).get("Messages", []), bool)
    assert [json.loads(message["Body"])["requestPayload"] for message in kept] == [{"said": "once"}]


def test_without_the_patch_sam_knows_no_parameter(unpatched: RunningMiniStack) -> None:
    with pytest.raises(ClientError, match="AutoPublishCodeSha256 must be a string"):
        deployed(unpatched, "0123456789")
