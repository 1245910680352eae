"""What failed is given to its function once more: each kind of message, and what becomes of it."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operators.redrive import Clients, redrive

type Json = dict[str, Any]

FUNCTION = "arn:aws:lambda:eu-central-1:000000000000:function:stack-ExpireHolds-1:3"
STREAM = "arn:aws:dynamodb:eu-central-1:000000000000:table/Payments/stream/2026"
EVENT = {"time": "2026-12-01T09:00:00Z"}
BY_LAMBDA = {"requestContext": {"functionArn": FUNCTION}, "requestPayload": EVENT}
BY_STREAM = {
    "requestContext": {"functionArn": FUNCTION},
    "DDBStreamBatchInfo": {
        "shardId": "shard-1",
        "startSequenceNumber": "7",
        "endSequenceNumber": "8",
        "streamArn": STREAM,
    },
}
BY_A_RULE = {"topic": "$aws/things/b/shadow", "failures": [{"failedAction": "LambdaAction"}]}


class Aws:
    """A queue with these messages, a function that answers so, and a stream's shard."""

    def __init__(self, *bodies: Json, answer: Json | None = None, error: str | None = None) -> None:
        self.messages = {str(n): {"Body": json.dumps(body)} for n, body in enumerate(bodies)}
        self.invoked = list[tuple[str, str, Json]]()
        self.records = list[Json]()
        self.trimmed = False
        self._answer, self._error = answer, error

    def receive_message(self, **_: Any) -> Json:
        """All of them, each time: as if nothing were hidden."""
        return {"Messages": [{"MessageId": id_, "ReceiptHandle": id_, **one} for id_, one in self.messages.items()]}

    def delete_message(self, QueueUrl: str, ReceiptHandle: str) -> None:  # noqa: N803  # as boto3 spells it
        """For good."""
        del self.messages[ReceiptHandle]

    def invoke(self, FunctionName: str, Qualifier: str, Payload: bytes) -> Json:  # noqa: N803  # as boto3 spells it
        """Answers as it was told to."""
        self.invoked.append((FunctionName, Qualifier, json.loads(Payload)))
        failure = {"FunctionError": "Unhandled"} if self._error else {}
        said = {"errorMessage": self._error} if self._error else self._answer
        return {"Payload": io.BytesIO(json.dumps(said).encode()), **failure}

    def get_shard_iterator(self, **asked: Any) -> Json:
        """Where it was asked to begin."""
        if self.trimmed:
            raise ClientError({"Error": {"Code": "TrimmedDataAccessException"}}, "GetShardIterator")
        return {"ShardIterator": asked["SequenceNumber"]}

    def get_records(self, ShardIterator: str) -> Json:  # noqa: N803  # as boto3 spells it
        """From there on, what came later too."""
        return {"Records": [one for one in self.records if one["dynamodb"]["SequenceNumber"] >= ShardIterator]}


def redriven(aws: Aws, *, check_only: bool = False) -> tuple[int, list[str]]:
    """How many are left, and what was said."""
    said = list[str]()
    return redrive(Clients(aws, aws, aws), "queue", said.append, check_only=check_only), said


def record(number: int) -> Json:
    """As the streams' API gives it."""
    written_at = datetime(2026, 12, 1, 9, tzinfo=UTC)
    return {
        "eventID": str(number),
        "dynamodb": {"SequenceNumber": str(number), "ApproximateCreationDateTime": written_at},
    }


def test_an_event_that_lambda_gave_up_is_given_to_the_function_that_serves_now() -> None:
    aws = Aws(BY_LAMBDA)
    assert redriven(aws)[0] == 0
    assert aws.invoked == [("stack-ExpireHolds-1", "live", EVENT)]
    assert aws.messages == {}


def test_an_event_that_eventbridge_could_not_deliver_names_its_target_beside_it() -> None:
    aws = Aws(EVENT)
    aws.messages["0"]["MessageAttributes"] = {"TARGET_ARN": {"StringValue": FUNCTION}}  # type: ignore[assignment]  # as boto3 gives it
    assert redriven(aws)[0] == 0
    assert aws.invoked == [("stack-ExpireHolds-1", "live", EVENT)]


def test_records_of_a_stream_are_read_again_where_the_message_points() -> None:
    aws = Aws(BY_STREAM)
    aws.records = [record(n) for n in (6, 7, 8, 9)]
    assert redriven(aws)[0] == 0
    [(_, _, event)] = aws.invoked
    assert [one["dynamodb"]["SequenceNumber"] for one in event["Records"]] == ["7", "8"]
    assert event["Records"][0]["dynamodb"]["ApproximateCreationDateTime"] == 1796115600.0
    assert event["Records"][0]["eventSourceARN"] == STREAM


def test_what_a_stream_has_forgotten_is_left_and_says_so() -> None:
    aws = Aws(BY_STREAM)
    aws.trimmed = True
    left, said = redriven(aws)
    assert left == len(aws.messages) == 1
    assert "forgotten" in said[0]


@pytest.mark.parametrize("answer", [{"answer": {"batchItemFailures": [{}]}}, {"error": "still broken"}])
def test_what_fails_again_stays_in_the_queue(answer: Json) -> None:
    aws = Aws(BY_LAMBDA, BY_LAMBDA, **answer)
    assert redriven(aws)[0] == len(aws.messages) == len(aws.invoked) == 2


def test_what_no_function_can_be_given_stays_and_says_what_heals_it() -> None:
    aws = Aws(BY_A_RULE, {"nobody": "knows"})
    left, said = redriven(aws)
    assert (left, aws.invoked) == (2, [])
    assert "next report heals it" in said[0]


def test_a_look_changes_nothing() -> None:
    aws = Aws(BY_LAMBDA)
    assert redriven(aws, check_only=True)[0] == len(aws.messages) == 1
    assert aws.invoked == []
