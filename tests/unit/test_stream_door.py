"""The door of the streams: every record by itself, and what failed is named to Lambda."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from parking.stream import EveryRecordFailed, run


def record(number: int) -> dict[str, Any]:
    """What DynamoDB says of one changed item."""
    return {
        "eventID": f"event-{number}",
        "eventName": "MODIFY",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_796_119_200.0,
            "Keys": {"user_id": {"S": "driver-a"}},
            "NewImage": {"number": {"N": str(number)}},
            "SequenceNumber": f"00{number}",
        },
    }


def refusing(*numbers: int) -> Callable[[dict[str, Any], datetime], None]:
    """Handles every record but these."""

    def handle(images: dict[str, Any], _: datetime) -> None:
        if int(images["NewImage"]["number"]["N"]) in numbers:
            raise LookupError("not this one")

    return handle


def test_each_record_is_handled_as_of_when_it_was_written() -> None:
    seen = list[tuple[str, datetime]]()
    event = {"Records": [record(1), record(2)]}
    answer = run(event, lambda images, at: seen.append((images["NewImage"]["number"]["N"], at)))
    assert answer == {"batchItemFailures": []}
    written = datetime(2026, 12, 1, 10, tzinfo=UTC)
    assert seen == [("1", written), ("2", written)]


def test_one_bad_record_is_named_and_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    answer = run({"Records": [record(1), record(2), record(3)]}, refusing(2))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "002"}]}
    [line] = [vars(line) for line in caplog.records]
    assert (line["message"], line["event_id"]) == ("record failed", "event-2")
    assert line["keys"] == {"user_id": {"S": "driver-a"}}


def test_a_batch_of_which_nothing_could_be_handled_counts_as_an_error() -> None:
    with pytest.raises(EveryRecordFailed, match="2 records"):
        run({"Records": [record(1), record(2)]}, refusing(1, 2))
