"""The AWS side of a running system: what to tell the tools, and clients for it."""

import os
from typing import Any

import boto3
from botocore.config import Config

from local.ports import HOST

REGION = "eu-central-1"
STACK_NAME = "smart-parking-local"
# The emulator accepts any; these are no secret. The key of its account's root, whom its IAM allows everything.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
CALL_SECONDS_MAX = 60


def endpoint_url(port: int) -> str:
    return f"http://{HOST}:{port}"


def own_variables() -> dict[str, str]:
    """The environment for our children: nothing of the person's own AWS settings or active Python environment."""
    dropped = ("AWS_", "PYTHON", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


def tool_variables(port: int) -> dict[str, str]:
    """The environment in which the SAM CLI sees the emulator as AWS."""
    return (
        own_variables()
        | CREDENTIALS
        | {
            "AWS_ENDPOINT_URL": endpoint_url(port),
            "AWS_DEFAULT_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "SAM_CLI_TELEMETRY": "0",
            # SAM looks at a deployment every 5 s unless told otherwise.
            "SAM_CLI_POLL_DELAY": "0.1",
        }
    )


def client(service: Any, aws_endpoint_url: str) -> Any:
    """A boto3 client of the emulator as the account's root: what operators and test set-ups use. Safe among threads."""
    session = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    config = Config(
        read_timeout=CALL_SECONDS_MAX, connect_timeout=5, retries={"total_max_attempts": 2}, max_pool_connections=32
    )
    return session.client(service, endpoint_url=aws_endpoint_url, config=config)
