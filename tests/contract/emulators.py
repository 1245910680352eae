"""The emulators that the contract tests run against, and the tables of the template on one of them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import boto3
import httpx
from samcli.yamlhelper import parse_yaml_file

from local.ports import HOST, Ports
from local.processes import Processes
from local.tools import ROOT, emulator_python
from parking.adapters.dynamodb.tables import Tables

REGION = "eu-central-1"
_TABLE_PROPERTIES = (
    "AttributeDefinitions",
    "BillingMode",
    "GlobalSecondaryIndexes",
    "KeySchema",
    "LocalSecondaryIndexes",
)


@dataclass(frozen=True)
class Aws:
    """A running MiniStack."""

    endpoint_url: str
    record_url: str

    @property
    def variables(self) -> dict[str, str]:
        """What a Lambda function would find in its environment."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }


@contextmanager
def running_aws(logs: Path) -> Iterator[Aws]:
    """A patched MiniStack on free ports, ended with the block."""
    ports = Ports.free()
    endpoint_url = f"http://{HOST}:{ports.aws}"
    options = ["--port", ports.aws, "--mqtt-port", ports.mqtt, "--sns-record-port", ports.sns_record]
    with Processes(logs) as processes:
        processes.start("ministack", [emulator_python(), "-m", "local.ministack", *options], {})
        ready_url = f"{endpoint_url}/_ministack/ready"
        processes.wait_until(lambda: _answers(ready_url), "MiniStack", timeout_seconds=60)
        yield Aws(endpoint_url, f"http://{HOST}:{ports.sns_record}")


@contextmanager
def running_stripe(logs: Path) -> Iterator[str]:
    """Our localstripe on a free port, ended with the block; gives its base address."""
    port = Ports.free().stripe
    base = f"http://{HOST}:{port}"
    with Processes(logs) as processes:
        processes.start("stripe", [emulator_python(), "-m", "local.stripe", "--port", port], {})
        processes.wait_until(lambda: _answers(f"{base}/_config/health"), "localstripe", timeout_seconds=60)
        yield base


def create_tables() -> Tables:
    """New tables with the keys and indexes of template.yaml."""
    client = boto3.client("dynamodb")
    resources: dict[str, Any] = parse_yaml_file(ROOT / "template.yaml")["Resources"]
    suffix = uuid.uuid4().hex[:8]
    names: dict[str, str] = {}
    for logical_id, resource in resources.items():
        if resource["Type"] == "AWS::DynamoDB::Table":
            names[logical_id] = f"{logical_id}-{suffix}"
            wanted = {name: value for name, value in resource["Properties"].items() if name in _TABLE_PROPERTIES}
            client.create_table(TableName=names[logical_id], **wanted)
    return Tables(**{field.name: names[_logical_id(field.name)] for field in fields(Tables)})


def _logical_id(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_")) + "Table"


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False
