"""The yardstick: what somebody would write with boto3 alone for the same two requests and the same DynamoDB calls.

It checks what it must to give the right answer to a right request, and has no framework, models, layers or domain: no
schema is validated, no wrong request is explained, no tariff has bands.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.config import Config

from parking.adapters.dynamodb.tables import Tables

QUARTER_SECONDS = 900


class ByHand:
    """One handler for both routes."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.client: Any = boto3.client("dynamodb", config=Config(connect_timeout=1, read_timeout=3))

    def get(self, event: dict[str, Any]) -> dict[str, Any]:
        """GET /reservations/{id} of a held stay."""
        key = {"user_id": {"S": _user(event)}, "reservation_id": {"S": event["rawPath"].rsplit("/", 1)[1]}}
        found = self.client.get_item(TableName=self._tables.reservations, Key=key, ConsistentRead=True).get("Item")
        return _answer(200, _shown(found)) if found else _answer(404, {"code": "not_found"})

    def create(self, event: dict[str, Any]) -> dict[str, Any]:
        """POST /reservations."""
        wish, user_id = json.loads(event["body"]), _user(event)
        digest = hashlib.sha256(
            f"{user_id} {event['routeKey']} {event['headers']['idempotency-key']}".encode()
        ).hexdigest()
        now = datetime.fromtimestamp(event["requestContext"]["timeEpoch"] / 1000, UTC)
        starts_at, ends_at = (datetime.fromisoformat(wish[name]) for name in ("starts_at", "ends_at"))
        key = {"user_id": {"S": user_id}, "reservation_id": {"S": f"res_{digest[:26]}"}}
        there = self.client.get_item(TableName=self._tables.reservations, Key=key, ConsistentRead=True).get("Item")
        if there:
            return _answer(201, _shown(there))
        wallet = self.client.get_item(
            TableName=self._tables.wallets, Key={"user_id": {"S": user_id}}, ConsistentRead=True
        )
        if wallet.get("Item", {}).get("debts"):
            return _answer(409, {"code": "debt_open"})
        spot_key = {"spot_id": {"S": wish["spot_id"]}}
        spot = self.client.get_item(TableName=self._tables.spots, Key=spot_key, ConsistentRead=True).get("Item")
        if spot is None:
            return _answer(404, {"code": "not_found"})
        day = starts_at.date().isoformat()
        calendar = self.client.query(
            TableName=self._tables.calendars,
            KeyConditionExpression="spot_id = :s AND #d BETWEEN :d AND :d",
            ExpressionAttributeNames={"#d": "day"},
            ExpressionAttributeValues={":s": {"S": wish["spot_id"]}, ":d": {"S": day}},
            ConsistentRead=True,
        )["Items"]
        claims = calendar[0]["claims"]["L"] if calendar else []
        blocked_until = ends_at + timedelta(minutes=10)
        for claim in claims:
            other = claim["M"]
            if _text(starts_at) < other["until"]["S"] and other["from"]["S"] < _text(blocked_until):
                return _answer(409, {"code": "spot_unavailable"})
        price = -(-(ends_at - starts_at).total_seconds() // QUARTER_SECONDS) * 60
        expires_at = now + timedelta(minutes=10)
        item = {
            **key,
            "due_shard": {"S": "RELEASE_HOLD#1"},
            "due_at": {"S": _text(expires_at)},
            "s": {"S": wish["spot_id"]},
            "f": {"S": _text(starts_at)},
            "e": {"S": _text(ends_at)},
            "x": {"S": _text(expires_at)},
            "a": {"N": str(int(price))},
            "st": {"S": "HELD"},
            "created_at": {"S": _text(now)},
            "version": {"N": "1"},
        }
        mine = {"from": {"S": _text(starts_at)}, "until": {"S": _text(blocked_until)}, "r": key["reservation_id"]}
        version = int(calendar[0]["version"]["N"]) if calendar else 0
        shown_day = {
            **spot_key,
            "day": {"S": day},
            "claims": {"L": [*claims, {"M": mine}]},
            "version": {"N": str(version + 1)},
        }
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(version)"}
        if version:
            condition = {
                "ConditionExpression": "version = :v", "ExpressionAttributeValues": {":v": {"N": str(version)}}
            }  # fmt: skip
        self.client.transact_write_items(
            TransactItems=[
                {
                    "Put": {
                        "TableName": self._tables.reservations,
                        "Item": item,
                        "ConditionExpression": "attribute_not_exists(version)",
                    }
                },
                {"Put": {"TableName": self._tables.calendars, "Item": shown_day, **condition}},
            ]
        )
        return _answer(201, _shown(item))


def _user(event: dict[str, Any]) -> str:
    user_id: str = event["requestContext"]["authorizer"]["jwt"]["claims"]["sub"]
    return user_id


def _text(instant: datetime) -> str:
    return instant.isoformat(timespec="microseconds")


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "reservation_id": item["reservation_id"]["S"],
        "spot_id": item["s"]["S"],
        "status": item["st"]["S"],
        "starts_at": item["f"]["S"],
        "ends_at": item["e"]["S"],
        "hold_expires_at": item["x"]["S"],
        "amount": int(item["a"]["N"]),
        "created_at": item["created_at"]["S"],
    }


def _answer(status: int, body: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
