"""What every Lambda function has: a role and a log group of its own, limits, and callers named one by one."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from tests.infrastructure.expanded import ALIAS, Template, called, called_at, decoded, referred

FUNCTIONS_FOLDER = Path(__file__).parents[2] / "functions"
SCHEDULE_TICK_SECONDS = 60
CODEDEPLOY_ALARMS_MAX = 10
SAM_HASH_LENGTH = 10
# What SAM attaches by itself: to write logs, to write traces, to read the function's stream.
MANAGED_POLICIES_OF_SAM = {
    "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
    "arn:aws:iam::aws:policy/AWSXrayWriteOnlyAccess",
    "arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole",
}


def test_every_function_has_a_role_of_its_own(template: Template) -> None:
    roles = Counter(referred(function["Role"]) for function in template.of_type("AWS::Lambda::Function").values())

    assert set(roles.values()) == {1}


def test_roles_carry_no_managed_policy_but_those_of_sam(template: Template) -> None:
    attached = {
        arn for role in template.of_type("AWS::IAM::Role").values() for arn in role.get("ManagedPolicyArns", [])
    }

    assert attached == MANAGED_POLICIES_OF_SAM


def test_every_function_writes_json_to_a_log_group_of_its_own(template: Template) -> None:
    functions = template.of_type("AWS::Lambda::Function")
    groups = Counter(referred(function["LoggingConfig"]["LogGroup"]) for function in functions.values())

    assert set(groups.values()) == {1}
    assert set(groups) <= set(template.of_type("AWS::Logs::LogGroup"))
    assert {function["LoggingConfig"]["LogFormat"] for function in functions.values()} == {"JSON"}


def test_no_log_is_kept_for_ever(template: Template) -> None:
    for name, group in template.of_type("AWS::Logs::LogGroup").items():
        assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name


def test_every_function_but_the_nightly_comparison_ends_before_the_schedule_ticks_again(template: Template) -> None:
    for name, function in template.of_type("AWS::Lambda::Function").items():
        if name == "PaymentsReconcile":
            continue
        assert 0 < function["Timeout"] < SCHEDULE_TICK_SECONDS, name


def test_functions_run_on_the_platform_that_their_native_wheels_are_built_for(template: Template) -> None:
    for name, function in template.of_type("AWS::Lambda::Function").items():
        assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["x86_64"]), name


def test_only_functions_that_speak_to_stripe_carry_it(template: Template) -> None:
    for name, function in template.of_type("AWS::Lambda::Function").items():
        layers = [referred(layer).removesuffix(_hash_of(referred(layer))) for layer in function["Layers"]]
        speaks = "STRIPE_SECRET_ID" in function["Environment"]["Variables"]
        assert layers == ["DependenciesLayer", "ParkingLayer", *(["StripeLayer"] if speaks else [])], name


def test_the_functions_behind_the_api_and_no_others_start_from_a_snapshot_where_an_operator_wants_it(
    template: Template,
) -> None:
    behind_the_api = {
        called_at(operation["x-amazon-apigateway-integration"]["uri"]) for operation in template.routes().values()
    }
    wanted = {"ApplyOn": {"Fn::If": ["HasSnapStart", "PublishedVersions", "None"]}}
    said = {
        name: one["SnapStart"] for name, one in template.of_type("AWS::Lambda::Function").items() if "SnapStart" in one
    }

    assert said == dict.fromkeys(behind_the_api, wanted)
    assert decoded()["Conditions"]["HasSnapStart"] == {"Fn::Equals": [{"Ref": "SnapStart"}, "true"]}
    assert decoded()["Parameters"]["SnapStart"]["Default"] == "false"


def _hash_of(layer: str) -> str:
    """What SAM adds to a layer's logical id, so that a new version is a new resource."""
    return layer[-SAM_HASH_LENGTH:]


def test_every_handler_has_its_module(template: Template) -> None:
    for name, function in template.of_type("AWS::Lambda::Function").items():
        module, _, attribute = function["Handler"].rpartition(".")
        assert attribute == "handler", name
        assert FUNCTIONS_FOLDER.joinpath(*module.split(".")).with_suffix(".py").is_file(), name


def test_every_caller_of_a_function_is_named_by_its_arn(template: Template) -> None:
    for name, permission in template.of_type("AWS::Lambda::Permission").items():
        assert permission["Principal"] in {"apigateway.amazonaws.com", "events.amazonaws.com", "iot.amazonaws.com"}
        assert permission["SourceArn"], name


def test_every_route_schedule_topic_rule_and_hook_may_call_its_function(template: Template) -> None:
    callers = Counter(
        (permission["Principal"], called(permission["FunctionName"]))
        for permission in template.of_type("AWS::Lambda::Permission").values()
    )
    needed: Counter[tuple[str, str]] = Counter()
    for operation in template.routes().values():
        needed["apigateway.amazonaws.com", called_at(operation["x-amazon-apigateway-integration"]["uri"])] += 1
    for rule in template.of_type("AWS::Events::Rule").values():
        needed["events.amazonaws.com", called(rule["Targets"][0]["Arn"])] += 1
    for rule in template.of_type("AWS::IoT::TopicRule").values():
        [action] = rule["TopicRulePayload"]["Actions"]
        needed["iot.amazonaws.com", called(action["Lambda"]["FunctionArn"])] += 1
    for fleet in template.of_type("AWS::IoT::ProvisioningTemplate").values():
        needed["iot.amazonaws.com", called(fleet["PreProvisioningHook"]["TargetArn"])] += 1

    assert callers == needed


def test_every_function_is_called_through_an_alias_that_points_at_a_version_of_the_release(template: Template) -> None:
    functions, aliases = template.of_type("AWS::Lambda::Function"), template.of_type("AWS::Lambda::Alias")

    assert {called({"Ref": alias}) for alias in aliases} == set(functions)
    source = decoded()["Resources"]
    for name in functions:
        assert aliases[f"{name}{ALIAS}"]["Name"] == "live", name
        # SAM makes no new version when only a layer has changed: so the release's name decides.
        assert source[name]["Properties"]["AutoPublishCodeSha256"] == {"Ref": "Release"}, name


def test_a_release_is_named_by_whoever_deploys_it(template: Template) -> None:
    assert "Default" not in decoded()["Parameters"]["Release"]


def test_a_gradual_deployment_is_taken_back_by_alarms_of_the_stack(template: Template) -> None:
    preference = decoded()["Globals"]["Function"]["DeploymentPreference"]
    alarms = [referred(alarm) for alarm in preference["Alarms"]]

    assert preference["Enabled"] == {"Ref": "GradualDeployment"}
    assert set(alarms) <= set(template.of_type("AWS::CloudWatch::Alarm"))
    assert len(alarms) <= CODEDEPLOY_ALARMS_MAX
    # Schedules' failures show after two retries in three minutes, lateness after three minutes more.
    assert preference["Type"] == "Canary10Percent10Minutes"


def test_no_secret_stands_in_a_functions_environment(template: Template) -> None:
    for name, function in template.of_type("AWS::Lambda::Function").items():
        variables = function["Environment"]["Variables"]
        # A secret is known by its ARN; its value is read at run time.
        for variable, secret in {"STRIPE_SECRET_ID": "StripeSecret", "OFFLINE_SECRET_ID": "OfflineSecret"}.items():
            named = {"Fn::GetAtt": [secret, "Id"]}
            assert variables.get(variable, named) == named, name
        assert "{{resolve:" not in json.dumps(variables), name


@pytest.mark.parametrize(("name", "key"), [("StripeSecret", "webhook_secret"), ("OfflineSecret", "present")])
def test_a_secret_is_random_until_an_operator_sets_it(template: Template, name: str, key: str) -> None:
    secret = template.of_type("AWS::SecretsManager::Secret")[name]

    assert "SecretString" not in secret
    assert secret["GenerateSecretString"]["GenerateStringKey"] == key
    assert secret["GenerateSecretString"]["PasswordLength"] == 64
