"""The door for DynamoDB streams: every record by itself, failures logged and reported one by one.

Powertools has a batch processor for this; it loads asyncio and the shapes of all of AWS's events, which was a third
of a stream function's cold start (docs/decisions/0044).
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypedDict

from aws_lambda_powertools import Logger

logger = Logger()


class _ItemFailure(TypedDict):
    itemIdentifier: str


class PartialFailure(TypedDict):
    """What Lambda understands under ReportBatchItemFailures: it begins again at the first record that failed."""

    batchItemFailures: list[_ItemFailure]


class EveryRecordFailed(Exception):
    """Not one record of the batch could be handled: the invocation counts as an error, which operators see."""


def run(event: dict[str, Any], handle: Callable[[dict[str, Any], datetime], None]) -> PartialFailure:
    """Give each record's images (`NewImage`, of a change also `OldImage`), and the time of writing, to `handle`.

    What raises is reported as this record's failure: Lambda retries it, and after the last try its address goes to the
    failure queue. Raises EveryRecordFailed.
    """
    failures: list[_ItemFailure] = []
    for record in event["Records"]:
        raw = record["dynamodb"]
        logger.set_correlation_id(record["eventID"])  # the same each time that this record comes
        try:
            handle(raw, datetime.fromtimestamp(raw["ApproximateCreationDateTime"], UTC))
        except Exception:
            logger.exception("record failed", keys=raw.get("Keys"), event_id=record["eventID"])
            failures.append({"itemIdentifier": raw["SequenceNumber"]})
    if failures and len(failures) == len(event["Records"]):
        raise EveryRecordFailed(f"{len(failures)} records failed")
    return {"batchItemFailures": failures}
