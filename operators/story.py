"""`python -m operators.story ID --stack-name STACK`: what happened to a stay, in the order of time, over all functions.

Any id will do that stands in a log: a reservation's, a payment's, a driver's, a command's, the request id of a problem
document. The functions' log groups are searched, the API's access log too; on a laptop those of the local stack.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

AT_ONCE = 4  # CloudWatch Logs answers five searches a second for an account
UNSAID = frozenset(
    {
        "timestamp", "level", "location", "service", "message", "xray_trace_id", "cold_start", "function_name",
        "function_memory_size", "function_arn", "function_request_id",
    }
)  # fmt: skip

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """One line of a story: when, where, and what it says."""

    at: datetime
    group: str
    text: str

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S}.{self.at.microsecond // 1000:03d}  {self.group:28} {self.text}"


def said(message: str) -> str:
    """A log line for people: the message, then what it has beside it, without what every line has."""
    try:
        line: Json = json.loads(message)
    except json.JSONDecodeError:
        return message.strip()
    beside = {key: value for key, value in line.items() if key not in UNSAID and value not in (None, [], "")}
    facts = beside.pop("facts", [])
    words = [f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in beside.items()]
    return "\n".join([" ".join([str(line.get("message", "")), *words]).strip(), *(f"{'':54}{fact}" for fact in facts)])


def said_at(event: Json) -> datetime:
    """When the line was written, by its own word; an event of the log may be dated when its invocation ended."""
    try:
        return datetime.fromisoformat(json.loads(event["message"])["timestamp"])
    except (ValueError, KeyError):
        return datetime.fromtimestamp(event["timestamp"] / 1000, UTC)


def story(logs: Any, groups: Iterable[str], id_: str, since: datetime) -> list[Line]:
    """Every line that names the id. Raises what boto3 raises."""

    def lines(group: str) -> list[Line]:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, filterPattern=json.dumps(id_), startTime=int(since.timestamp() * 1000)
        )
        return [
            Line(said_at(event), group.rsplit("/", 1)[-1], said(event["message"]))
            for page in pages
            for event in page["events"]
            if id_ in event["message"]
        ]

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sorted(chain.from_iterable(pool.map(lines, groups)))


def groups_of(logs: Any, stack_name: str) -> Iterator[str]:
    """The log groups of a stack: its functions', and its API's."""
    for prefix in (f"/aws/lambda/{stack_name}/", f"/aws/vendedlogs/{stack_name}/"):
        for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix):
            yield from (group["logGroupName"] for group in page["logGroups"])


def main() -> int:
    """Print the story; 1 if there is none, and says why."""
    parser = argparse.ArgumentParser(
        prog="operators.story", description="What happened to a stay, a payment, a driver."
    )
    parser.add_argument("id", help="res_…, pay_…, cmd_…, a user_id, a request_id")
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--days", type=int, default=7, help="how far to look back (default 7)")
    told = parser.parse_args()
    logs, since = boto3.client("logs"), datetime.now(UTC) - timedelta(days=told.days)
    try:
        lines = story(logs, groups_of(logs, told.stack_name), told.id, since)
    except (BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    if not lines:
        print(f"no log of {told.stack_name} names {told.id} in the last {told.days} days", file=sys.stderr)
        return 1
    print(*lines, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
