"""What the functions wrote, kept: the emulator's CloudWatch Logs are gone when it stops."""

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from local.stack import Stack


def keep_function_logs(stack: Stack) -> None:
    """Write functions.log beside the logs of the processes: function by function, each in the order of time."""
    with (stack.folder / "logs" / "functions.log").open("w", encoding="utf-8") as kept:
        try:
            kept.writelines(_lines(stack))
        except (BotoCoreError, ClientError) as error:
            # Perhaps the emulator itself has failed: then its own log says why.
            kept.write(f"No more could be read: {error}\n")


def _lines(stack: Stack) -> Iterator[str]:
    logs = stack.client("logs")
    for groups in logs.get_paginator("describe_log_groups").paginate():
        for group in groups["logGroups"]:
            name = group["logGroupName"]
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
                yield from (f"{name} {event['message'].rstrip()}\n" for event in events["events"])
