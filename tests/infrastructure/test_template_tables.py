"""The tables: keys and indexes as the design names them, and data that outlives mistakes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infrastructure.expanded import Properties, Template

DUE: dict[str, tuple[str, ...]] = {"due": ("due_shard", "due_at")}
BY_CREATED: dict[str, tuple[str, ...]] = {"by_created": ("user_id", "created_at")}
KEYS: dict[str, tuple[str, ...]] = {
    "SpotsTable": ("spot_id",),
    "CalendarsTable": ("spot_id", "day"),
    "ReservationsTable": ("user_id", "reservation_id"),
    "PaymentsTable": ("user_id", "payment_id"),
    "WalletsTable": ("user_id",),
    "TransactionsTable": ("user_id", "transaction_id"),
    "PaymentMethodsTable": ("user_id",),
    "NotificationsTable": ("user_id", "notification_id"),
    "PushDevicesTable": ("user_id", "device_id"),
    "EndpointOwnersTable": ("endpoint",),
    "NotificationPreferencesTable": ("user_id",),
    "BlockersTable": ("blocker_id",),
    "FavouritesTable": ("user_id",),
    "AuditTable": ("blocker_id", "entry_id"),
    "EnrolmentsTable": ("blocker_id",),
}
INDEXES: dict[str, dict[str, tuple[str, ...]]] = {
    "SpotsTable": {"by_cell": ("region", "cell")},
    "ReservationsTable": DUE | BY_CREATED,
    "PaymentsTable": DUE | BY_CREATED,
    "WalletsTable": DUE,
    "BlockersTable": DUE | {"by_health": ("health_shard",)},
    "TransactionsTable": {"by_stripe_day": ("stripe_day", "transaction_id")},
}
STREAMS = {
    "ReservationsTable": "NEW_AND_OLD_IMAGES",
    "PaymentsTable": "NEW_AND_OLD_IMAGES",
    "NotificationsTable": "NEW_IMAGE",
}


def key_names(schema: list[dict[str, str]]) -> tuple[str, ...]:
    assert [part["KeyType"] for part in schema] == ["HASH", "RANGE"][: len(schema)]
    return tuple(part["AttributeName"] for part in schema)


def indexes_of(table: Properties) -> list[dict[str, Any]]:
    return [*table.get("GlobalSecondaryIndexes", []), *table.get("LocalSecondaryIndexes", [])]


def test_tables_and_keys_are_those_of_the_design(template: Template) -> None:
    tables = template.of_type("AWS::DynamoDB::Table")

    assert {name: key_names(table["KeySchema"]) for name, table in tables.items()} == KEYS


def test_indexes_are_those_of_the_design(template: Template) -> None:
    found = {
        name: {index["IndexName"]: key_names(index["KeySchema"]) for index in indexes_of(table)}
        for name, table in template.of_type("AWS::DynamoDB::Table").items()
        if indexes_of(table)
    }

    assert found == INDEXES


def test_only_the_map_and_the_reconciliation_copy_whole_items_into_their_index(template: Template) -> None:
    for table in template.of_type("AWS::DynamoDB::Table").values():
        for index in indexes_of(table):
            expected = "ALL" if index["IndexName"] in ("by_cell", "by_stripe_day") else "KEYS_ONLY"
            assert index["Projection"] == {"ProjectionType": expected}


def test_streams_are_those_of_the_design(template: Template) -> None:
    found = {
        name: table["StreamSpecification"]["StreamViewType"]
        for name, table in template.of_type("AWS::DynamoDB::Table").items()
        if "StreamSpecification" in table
    }

    assert found == STREAMS


@pytest.mark.parametrize("name", KEYS)
def test_a_table_can_be_restored_is_encrypted_and_paid_by_use(template: Template, name: str) -> None:
    table = template.of_type("AWS::DynamoDB::Table")[name]

    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["BillingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("name", [*KEYS, "UserPool", "StripeSecret", "OfflineSecret"])
def test_what_people_entered_outlives_the_stack(template: Template, name: str) -> None:
    resource = template.resources[name]

    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert resource["UpdateReplacePolicy"] == "Retain"


def test_production_data_refuses_to_be_deleted(template: Template) -> None:
    for name, table in template.of_type("AWS::DynamoDB::Table").items():
        assert table["DeletionProtectionEnabled"] == {"Fn::If": ["IsProtected", True, False]}, name
    [pool] = template.of_type("AWS::Cognito::UserPool").values()
    assert pool["DeletionProtection"] == {"Fn::If": ["IsProtected", "ACTIVE", "INACTIVE"]}
