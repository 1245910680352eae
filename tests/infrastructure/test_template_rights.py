"""Least privilege, read from the roles' inline policies and the devices' policy."""

from __future__ import annotations

import json

import pytest

from tests.infrastructure.expanded import Template, called, referred

# Resource * is right only for these, and why it is.
ACTIONS_ON_EVERYTHING = {
    "iot:CreateKeysAndCertificate": "AWS gives it no resource type",
    "iot:AttachPolicy": "MiniStack checks it against * alone",
    "iot:DetachPolicy": "MiniStack checks it against * alone",
    "sns:CreatePlatformEndpoint": "AWS gives it no resource type",
    "sns:SetEndpointAttributes": "AWS gives it no resource type",
    "sns:DeleteEndpoint": "AWS gives it no resource type",
}
# Our writes are whole items under a condition, so that the version that was read guards each of them.
DYNAMODB_ACTIONS = {
    "dynamodb:GetItem",
    "dynamodb:BatchGetItem",
    "dynamodb:Query",
    "dynamodb:PutItem",
    "dynamodb:DeleteItem",
    "dynamodb:ConditionCheckItem",
}


def roles_that_may(template: Template, action: str, table: str) -> set[str]:
    """The roles that hold this action on the table itself."""
    arn = {"Fn::GetAtt": [table, "Arn"]}
    return {one.role for one in template.statements() if action in one.actions and arn in one.resources}


def test_no_role_holds_a_wildcard_action(template: Template) -> None:
    for statement in template.statements():
        assert not any("*" in action for action in statement.actions), statement


def test_only_actions_without_a_resource_type_are_allowed_on_everything(template: Template) -> None:
    on_everything = {
        action for statement in template.statements() if "*" in statement.resources for action in statement.actions
    }

    assert on_everything == set(ACTIONS_ON_EVERYTHING)


def test_every_other_resource_is_one_of_the_stack_or_a_named_kind_in_this_account(template: Template) -> None:
    for statement in template.statements():
        for resource in statement.resources:
            match resource:
                case {"Fn::GetAtt": [str(), "Arn" | "Id"]} | "*":
                    pass
                case {"Fn::Sub": str(pattern)}:
                    assert pattern.startswith("${") or ":${AWS::AccountId}:" in pattern, statement
                    assert not pattern.endswith(":*"), statement
                case _:
                    raise AssertionError(statement)


def test_nobody_may_scan_or_update_in_place(template: Template) -> None:
    allowed = {
        action for statement in template.statements() for action in statement.actions if action.startswith("dynamodb:")
    }

    assert allowed == DYNAMODB_ACTIONS


def test_an_index_is_only_queried(template: Template) -> None:
    for statement in template.statements():
        if any("/index/" in json.dumps(resource) for resource in statement.resources):
            assert statement.actions == ("dynamodb:Query",), statement


SECRET_READERS = {
    "StripeSecret": {
        "AccountsEraseRole",
        "PaymentsApiRole",
        "PaymentsReconcileRole",
        "PaymentsSettleDueRole",
        "PaymentsSettleRefundsRole",
        "StripeWebhookRole",
    },
    "OfflineSecret": {
        "BlockerCertificateRole",
        "BlockersAdmitRole",
        "ProvisionSpotRole",
        "ReservationsApiRole",
    },
}
SECRET_VARIABLES = {"StripeSecret": {"STRIPE_SECRET_ID", "STRIPE_API_BASE"}, "OfflineSecret": {"OFFLINE_SECRET_ID"}}


@pytest.mark.parametrize("secret", SECRET_READERS)
def test_a_secret_is_read_by_who_needs_it_alone_and_these_are_told_where_it_is(template: Template, secret: str) -> None:
    readers = {
        statement.role
        for statement in template.statements()
        if "secretsmanager:GetSecretValue" in statement.actions
        and {"Fn::GetAtt": [secret, "Id"]} in statement.resources
    }
    told = {
        referred(function["Role"])
        for function in template.of_type("AWS::Lambda::Function").values()
        if SECRET_VARIABLES[secret] <= function["Environment"]["Variables"].keys()
    }

    assert told == readers == SECRET_READERS[secret]


def test_no_other_secret_is_read(template: Template) -> None:
    known = [{"Fn::GetAtt": [secret, "Id"]} for secret in SECRET_READERS]
    for statement in template.statements():
        if any(action.startswith("secretsmanager:") for action in statement.actions):
            assert statement.actions == ("secretsmanager:GetSecretValue",)
            assert all(resource in known for resource in statement.resources)


def test_only_the_eraser_deletes_log_ins_and_what_is_about_a_person(template: Template) -> None:
    may = {one.role for one in template.statements() if "cognito-idp:AdminDeleteUser" in one.actions}
    assert may == {"AccountsEraseRole"}
    for table in ("PaymentMethodsTable", "NotificationPreferencesTable", "FavouritesTable", "NotificationsTable"):
        assert roles_that_may(template, "dynamodb:DeleteItem", table) == {"AccountsEraseRole"}, table


def test_what_money_was_paid_for_is_never_deleted(template: Template) -> None:
    for table in ("WalletsTable", "PaymentsTable", "ReservationsTable"):
        assert roles_that_may(template, "dynamodb:DeleteItem", table) == set(), table


def test_the_api_of_accounts_reads_and_writes_only_that_an_account_is_closed(template: Template) -> None:
    writing = {
        (action, json.dumps(resource))
        for one in template.statements()
        if one.role == "AccountsApiRole"
        for action in one.actions
        for resource in one.resources
        if action not in ("dynamodb:GetItem", "dynamodb:Query")
    }
    assert writing == {("dynamodb:PutItem", json.dumps({"Fn::GetAtt": ["WalletsTable", "Arn"]}))}


def test_a_ledger_record_is_never_deleted(template: Template) -> None:
    assert roles_that_may(template, "dynamodb:DeleteItem", "TransactionsTable") == set()
    assert roles_that_may(template, "dynamodb:PutItem", "TransactionsTable")


def test_only_the_reconciliation_reads_the_ledger_of_all_drivers(template: Template) -> None:
    index = {"Fn::Sub": "${TransactionsTable.Arn}/index/by_stripe_day"}
    readers = {statement.role for statement in template.statements() if index in statement.resources}

    assert readers == {"PaymentsReconcileRole"}


def test_saved_cards_change_only_through_the_drivers_api_and_stripes_word(template: Template) -> None:
    changing = roles_that_may(template, "dynamodb:PutItem", "PaymentMethodsTable")
    reading = roles_that_may(template, "dynamodb:GetItem", "PaymentMethodsTable")

    assert changing == {"PaymentsApiRole", "StripeWebhookRole"}
    # An overstay is charged to the default card where a stay ends.
    # An export shows the cards, and the eraser deletes the customer.
    assert reading == changing | {"ReservationsApiRole", "AutoCompleteRole", "AccountsApiRole", "AccountsEraseRole"}


def test_only_the_drivers_own_request_says_whose_a_phone_is_and_only_the_push_function_asks(template: Template) -> None:
    assert roles_that_may(template, "dynamodb:PutItem", "EndpointOwnersTable") == {"NotificationsApiRole"}
    assert roles_that_may(template, "dynamodb:BatchGetItem", "EndpointOwnersTable") == {"PushNotificationsRole"}


def test_who_settles_what_stripe_says_may_write_everything_that_a_payment_can_change(template: Template) -> None:
    """`settle` confirms a stay, claims its interval again, fills a wallet or owes a refund: each in one transaction."""
    settling = {
        "PaymentsApiRole",
        "StripeWebhookRole",
        "PaymentsSettleRefundsRole",
        "PaymentsSettleDueRole",
        "PaymentsReconcileRole",
    }
    for table in (
        "PaymentsTable",
        "WalletsTable",
        "TransactionsTable",
        "ReservationsTable",
        "CalendarsTable",
        "NotificationsTable",
    ):
        assert settling <= roles_that_may(template, "dynamodb:PutItem", table), table
    # An overstay's debt is written only if the reservation is still as it was read.
    assert settling <= roles_that_may(template, "dynamodb:ConditionCheckItem", "ReservationsTable")


def test_what_an_operator_did_is_written_by_the_operators_functions_and_never_deleted(template: Template) -> None:
    assert roles_that_may(template, "dynamodb:PutItem", "AuditTable") == {
        "BlockerCommandRole",
        "BlockerCertificateRole",
    }
    assert roles_that_may(template, "dynamodb:DeleteItem", "AuditTable") == set()


def test_the_report_of_a_spot_only_reads(template: Template) -> None:
    actions = {a for one in template.statements() if one.role == "SpotReportRole" for a in one.actions}

    assert actions == {"dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query"}


def test_who_offers_or_takes_another_spot_may_look_around_and_check_that_it_is_still_free(template: Template) -> None:
    choosing = {"ReservationsApiRole", "AutoCompleteRole"}
    index = {"Fn::Sub": "${SpotsTable.Arn}/index/by_cell"}
    assert choosing <= {one.role for one in template.statements() if index in one.resources}
    for table in ("CalendarsTable", "BlockersTable"):
        for action in ("dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem"):
            assert choosing <= roles_that_may(template, action, table), (action, table)


def test_only_the_operators_functions_issue_certificates(template: Template) -> None:
    issuers = {
        statement.role for statement in template.statements() if "iot:CreateKeysAndCertificate" in statement.actions
    }

    assert issuers == {"ProvisionSpotRole", "BlockerCertificateRole"}


def test_who_decides_about_a_devices_certificate_can_touch_none(template: Template) -> None:
    actions = {a for one in template.statements() if one.role == "BlockersAdmitRole" for a in one.actions}

    assert not any(action.startswith("iot:") for action in actions)


def test_only_an_admitted_device_and_the_operators_functions_get_at_certificates(template: Template) -> None:
    changing = {one.role for one in template.statements() if "iot:UpdateCertificate" in one.actions}

    assert changing == {"ProvisionSpotRole", "BlockerCertificateRole", "FleetProvisioningRole"}
    [fleet] = template.of_type("AWS::IoT::ProvisioningTemplate").values()
    assert called(fleet["PreProvisioningHook"]["TargetArn"]) == "BlockersAdmit"
    assert referred(fleet["ProvisioningRoleArn"]) == "FleetProvisioningRole"
    trust = template.resources["FleetProvisioningRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert [one["Principal"] for one in trust] == [{"Service": "iot.amazonaws.com"}]


def test_only_the_fleets_template_may_ask_the_hook(template: Template) -> None:
    permission = template.resources["BlockersAdmitPermission"]["Properties"]
    [fleet] = template.of_type("AWS::IoT::ProvisioningTemplate").values()

    name = fleet["TemplateName"]["Fn::Sub"]
    assert permission["SourceArn"]["Fn::Sub"].endswith(f":provisioningtemplate/{name}")


def test_a_claim_certificate_can_only_ask_for_another(template: Template) -> None:
    policy = template.of_type("AWS::IoT::Policy")["FleetClaimPolicy"]
    allowed = [
        (action, resource["Fn::Sub"].partition("${AWS::AccountId}:")[2])
        for statement in policy["PolicyDocument"]["Statement"]
        for action in statement["Action"]
        for resource in (statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]])
    ]
    asking = ("$aws/certificates/create/*", "$aws/provisioning-templates/${FleetTemplate}/provision/*")

    assert sorted(allowed) == sorted(
        [("iot:Connect", "client/claim-*")]
        + [(f"iot:{action}", f"topic/{topic}") for action in ("Publish", "Receive") for topic in asking]
        + [("iot:Subscribe", f"topicfilter/{topic}") for topic in asking]
    )


def test_only_alarms_are_published_to_the_operators(template: Template) -> None:
    [policy] = template.of_type("AWS::SNS::TopicPolicy").values()
    [statement] = policy["PolicyDocument"]["Statement"]

    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert [referred(topic) for topic in policy["Topics"]] == ["OperatorsTopic"]


def test_a_blocker_reaches_only_what_carries_its_own_name(template: Template) -> None:
    policy = template.of_type("AWS::IoT::Policy")["BlockerPolicy"]

    for statement in policy["PolicyDocument"]["Statement"]:
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        assert statement["Effect"] == "Allow"
        for resource in resources:
            assert "/${!iot:Connection.Thing.ThingName}" in resource["Fn::Sub"], statement


def test_a_blocker_connects_only_with_its_own_certificate(template: Template) -> None:
    policy = template.of_type("AWS::IoT::Policy")["BlockerPolicy"]
    [connect] = [s for s in policy["PolicyDocument"]["Statement"] if s["Action"] == ["iot:Connect"]]

    assert connect["Condition"] == {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
    assert connect["Resource"]["Fn::Sub"].endswith(":client/${!iot:Connection.Thing.ThingName}")
