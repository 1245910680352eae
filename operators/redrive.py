"""`python -m operators.redrive QUEUE --stack-name STACK`: give what failed to its function once more.

A failure queue is fed by Lambda and EventBridge, not by another queue, so SQS cannot move its messages back. What is
repeated does no harm: handlers look at how things stand now. A message is deleted when its function has succeeded.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ALIAS = "live"
AT_ONCE = 10  # as many as SQS gives
HIDDEN_SECONDS = 120  # longer than any function that is called here takes
ANSWER_SECONDS_MAX = 60

type Json = dict[str, Any]


class CannotRepeat(Exception):
    """There is nothing to give to a function; the text says why, and what heals it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """What a message says has failed: a function's name and the event that it was called with."""

    function: str
    event: Json


@dataclass(frozen=True, slots=True)
class Clients:
    """Where to read and whom to call."""

    sqs: Any
    lambda_: Any
    streams: Any


def failed(message: Json, streams: Any) -> Failed:
    """What the message speaks of. Raises CannotRepeat."""
    body: Json = json.loads(message["Body"])
    match body:
        case {"DDBStreamBatchInfo": where, "requestContext": {"functionArn": arn}}:
            return Failed(_name_in(arn), {"Records": records(where, streams)})
        case {"requestPayload": event, "requestContext": {"functionArn": arn}}:
            return Failed(_name_in(arn), event)
        case {"failures": _, "topic": topic}:
            raise CannotRepeat(f"the rule on {topic} could not call its function: the device's next report heals it")
    target = message.get("MessageAttributes", {}).get("TARGET_ARN")
    if target is None:
        raise CannotRepeat("nobody knows what wrote this message")
    return Failed(_name_in(target["StringValue"]), body)


def records(where: Json, streams: Any) -> list[Json]:
    """The records that a stream's failure points at, as Lambda would give them. Streams keep them for 24 hours."""
    first, last = int(where["startSequenceNumber"]), int(where["endSequenceNumber"])
    try:
        begin = streams.get_shard_iterator(
            StreamArn=where["streamArn"],
            ShardId=where["shardId"],
            ShardIteratorType="AT_SEQUENCE_NUMBER",
            SequenceNumber=where["startSequenceNumber"],
        )
        found = streams.get_records(ShardIterator=begin["ShardIterator"])["Records"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("TrimmedDataAccessException", "ResourceNotFoundException"):
            raise
        found = []
    wanted = [one for one in found if first <= int(one["dynamodb"]["SequenceNumber"]) <= last]
    if not wanted:
        raise CannotRepeat("the stream has forgotten the records (24 hours): the schedules have done the work since")
    return [_as_lambda_gives(one, where["streamArn"]) for one in wanted]


def _as_lambda_gives(record: Json, stream_arn: str) -> Json:
    change = record["dynamodb"]
    written_at = change["ApproximateCreationDateTime"].timestamp()
    return {**record, "dynamodb": {**change, "ApproximateCreationDateTime": written_at}, "eventSourceARN": stream_arn}


def _name_in(arn: str) -> str:
    """arn:aws:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]"""
    return arn.split(":")[6]


def repeat(lambda_: Any, what: Failed) -> str | None:
    """Call the function as its triggers do; what is wrong with the answer, or None."""
    asked = {"FunctionName": what.function, "Qualifier": ALIAS, "Payload": json.dumps(what.event).encode()}
    answer = lambda_.invoke(**asked)
    said: Json = json.loads(answer["Payload"].read() or "null") or {}
    if "FunctionError" in answer:
        return str(said.get("errorMessage", said)).strip().splitlines()[-1]  # of several records' traces: what it was
    again = said.get("batchItemFailures")
    return f"{len(again)} records failed again" if again else None


def redrive(clients: Clients, queue_url: str, say: Callable[[str], None], *, check_only: bool) -> int:
    """Every message once; how many are left. What cannot be repeated stays, and says why."""
    left = 0
    for message in _messages(clients.sqs, queue_url):
        try:
            what = failed(message, clients.streams)
            wrong = "not repeated" if check_only else repeat(clients.lambda_, what)
            about = f"{what.function} {json.dumps(what.event)[:200]}"
        except CannotRepeat as reason:
            wrong, about = str(reason), message["Body"][:200]
        say(f"{'done' if wrong is None else wrong}: {about}")
        if wrong is None:
            clients.sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
        else:
            left += 1
    return left


def _messages(sqs: Any, queue_url: str) -> Iterator[Json]:
    """Each that is visible now, once: it stays hidden while the others are looked at."""
    seen = set[str]()
    while True:
        got = sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=AT_ONCE,
            VisibilityTimeout=HIDDEN_SECONDS,
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        fresh = [message for message in got if message["MessageId"] not in seen]
        if not fresh:
            return
        seen |= {message["MessageId"] for message in fresh}
        yield from fresh


def main() -> int:
    """Redrive; 1 if something is left."""
    parser = argparse.ArgumentParser(prog="operators.redrive", description="Give what failed to its function again.")
    parser.add_argument("queue", help="as the template names it: ScheduleFailuresQueue, PaymentStreamFailuresQueue, …")
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--check-only", action="store_true", help="say what is there, and do nothing")
    told = parser.parse_args()
    config = Config(read_timeout=ANSWER_SECONDS_MAX, retries={"total_max_attempts": 1})
    clients = Clients(
        boto3.client("sqs"), boto3.client("lambda", config=config), boto3.client("dynamodbstreams", config=config)
    )
    try:
        [resource] = boto3.client("cloudformation").describe_stack_resources(
            StackName=told.stack_name, LogicalResourceId=told.queue
        )["StackResources"]
        left = redrive(clients, resource["PhysicalResourceId"], print, check_only=told.check_only)
    except (BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{left} left")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
