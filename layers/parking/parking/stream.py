"""The door for DynamoDB streams: every record by itself, failures logged and reported one by one."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger()


def run(
    event: dict[str, Any], context: LambdaContext, handle: Callable[[dict[str, Any], datetime], None]
) -> PartialItemFailureResponse:
    """Give each record's images (`NewImage`, of a change also `OldImage`), and the time of writing, to `handle`.

    What raises is reported as this record's failure: Lambda retries it, and after the last try its address goes to the
    failure queue.
    """

    def take(record: DynamoDBRecord) -> None:
        raw = record.raw_event["dynamodb"]
        logger.set_correlation_id(record.event_id)  # the same each time that this record comes
        try:
            handle(raw, datetime.fromtimestamp(raw["ApproximateCreationDateTime"], UTC))
        except Exception:
            logger.exception("record failed", keys=raw.get("Keys"), event_id=record.event_id)
            raise

    processor = BatchProcessor(event_type=EventType.DynamoDBStreams)
    return process_partial_response(event=event, record_handler=take, processor=processor, context=context)
