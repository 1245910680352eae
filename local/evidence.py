"""What the functions wrote, kept: the emulator's CloudWatch Logs are gone when it stops."""

from collections.abc import Iterator
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from local import cloud


def keep_function_logs(aws_endpoint_url: str, folder: Path) -> None:
    """Write functions.log beside the logs of the processes: function by function, each in the order of time."""
    with (folder / "functions.log").open("w", encoding="utf-8") as kept:
        try:
            kept.writelines(_lines(aws_endpoint_url))
        except (BotoCoreError, ClientError) as error:
            # Perhaps the emulator itself has failed: then its own log says why.
            kept.write(f"No more could be read: {error}\n")


def _lines(aws_endpoint_url: str) -> Iterator[str]:
    logs = cloud.client("logs", aws_endpoint_url)
    for groups in logs.get_paginator("describe_log_groups").paginate():
        for group in groups["logGroups"]:
            name = group["logGroupName"]
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
                yield from (f"{name} {event['message'].rstrip()}\n" for event in events["events"])
