"""What happens when a function fails on DynamoDB stream records.

Gap: MiniStack takes an answer with `batchItemFailures` for success and loses those records, ignores
MaximumRetryAttempts and BisectBatchOnFunctionError, retries a poison batch for ever, and serves all streams from one
thread.
Closed by: a poller that gives every mapping with new records a thread of its own. The thread works batch by batch in
order, retries from the lowest failed record, halves a failing batch when bisect is on, and after the last retry (or
the maximum age) writes MiniStack's own record to the failure destination and goes on. Filters are MiniStack's.
No longer needed when: the `without_the_patch` tests of test_ministack_streams.py fail.
Source of the rules: AWS Lambda Developer Guide, "Retain discarded records" and "Partial batch response" for DynamoDB.
"""

import time
from typing import Any

from local.ministack.modules import ministack

FIRST_RETRY_SECONDS = 0.1
LAST_RETRY_SECONDS = 2.0
DEFAULT_BATCH_SIZE = 100
THROTTLED_SECONDS = 0.2

type Record = dict[str, Any]
type Mapping = dict[str, Any]


def first_failed_index(result: dict[str, Any], batch: list[Record], reports_items: bool) -> int | None:
    """Where the retry starts: None after success, 0 for the whole batch, else the lowest reported record's index."""
    if result.get("error"):
        return 0
    answer = result.get("body")
    if not reports_items or not isinstance(answer, dict) or not answer.get("batchItemFailures"):
        return None
    positions = {record["dynamodb"]["SequenceNumber"]: index for index, record in enumerate(batch)}
    failures = answer["batchItemFailures"]
    # An identifier that is missing or unknown makes AWS retry the whole batch.
    return min(positions.get((failure or {}).get("itemIdentifier"), 0) for failure in failures)


class StreamConsumer:
    """Works through the new records of one event source mapping, in order, until none are left."""

    def __init__(self, lambda_svc: Any, dynamodb: Any, mapping: Mapping) -> None:
        self._lambda = lambda_svc
        self._dynamodb = dynamodb
        self._mapping = mapping
        self._table_name = mapping["EventSourceArn"].split("/")[1]

    def next_batch(self) -> tuple[int, list[Record]]:
        """The position just after the next batch, and its records before filtering."""
        positions = self._lambda._dynamodb_stream_positions
        start = max(positions[self._mapping["UUID"]], self._dynamodb.stream_start_position(self._table_name))
        limit = int(self._mapping.get("BatchSize", DEFAULT_BATCH_SIZE))
        records = self._dynamodb.stream_records_since(self._table_name, start, limit)
        return start + len(records), records

    def is_live(self) -> bool:
        """Whether the mapping still exists, is enabled, and its table still has this stream."""
        current = self._lambda._esms.get(self._mapping["UUID"])
        table = self._dynamodb._tables.get(self._table_name)
        return bool(
            current is self._mapping
            and current.get("Enabled", True)
            and table
            and table.get("LatestStreamArn") == self._mapping["EventSourceArn"]
        )

    def run(self) -> None:
        while self.is_live():
            end, records = self.next_batch()
            if not records:
                return
            if wanted := self._lambda._apply_filter_criteria(records, self._mapping):
                self.process(wanted)
            if self.is_live():
                self._lambda._dynamodb_stream_positions[self._mapping["UUID"]] = end

    def process(self, batch: list[Record]) -> None:
        """Bring a batch to its end: processed, or handed to the failure destination."""
        reports_items = "ReportBatchItemFailures" in self._mapping.get("FunctionResponseTypes", [])
        retries_max = int(self._mapping.get("MaximumRetryAttempts", -1))
        retries, pause_seconds = 0, FIRST_RETRY_SECONDS
        while self.is_live():
            function, result = self._invoke(batch)
            if result.get("throttle"):
                time.sleep(THROTTLED_SECONDS)
                continue
            failed_index = first_failed_index(result, batch, reports_items)
            if failed_index is None:
                return
            batch = batch[failed_index:]
            if self._is_too_old(batch):
                self._discard(function, batch, result, "MaxRecordAgeExceeded")
                return
            if self._mapping.get("BisectBatchOnFunctionError") and len(batch) > 1:
                if failed_index == 0:
                    middle = len(batch) // 2
                    self.process(batch[:middle])
                    self.process(batch[middle:])
                    return
                continue  # The answer has already split the batch; splitting does not count as a retry.
            if retries == retries_max:
                self._discard(function, batch, result, "RetryAttemptsExhausted")
                return
            retries += 1
            time.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, LAST_RETRY_SECONDS)

    def _invoke(self, batch: list[Record]) -> tuple[Any, dict[str, Any]]:
        name, qualifier = self._mapping["FunctionName"], self._mapping.get("Qualifier")
        function, _configuration = self._lambda._get_func_record_for_qualifier(name, qualifier)
        if function is None:
            return None, {"throttle": True}  # Between the two halves of an update; is_live() ends the wait.
        result: dict[str, Any] = self._lambda._execute_function(function, {"Records": batch})
        self._mapping["LastProcessingResult"] = "FAILED" if result.get("error") else f"OK - {len(batch)} records"
        return function, result

    def _is_too_old(self, batch: list[Record]) -> bool:
        age_max_seconds = int(self._mapping.get("MaximumRecordAgeInSeconds", -1))
        created_at = float(batch[0]["dynamodb"]["ApproximateCreationDateTime"])
        return age_max_seconds > 0 and time.time() - created_at > age_max_seconds

    def _discard(self, function: Any, batch: list[Record], result: dict[str, Any], condition: str) -> None:
        stream_arn = self._mapping["EventSourceArn"]
        self._lambda._send_ddb_stream_failure_record(self._mapping, function, batch, stream_arn, result, condition)


def apply() -> None:
    lambda_svc = ministack("services.lambda_svc")
    dynamodb = ministack("services.dynamodb")
    request_scope = ministack("core.responses").request_scope

    def run_in_scope(account_id: str, region: str, consumer: StreamConsumer) -> None:
        with request_scope(account_id, region):
            consumer.run()

    def poll() -> bool:
        """Start a thread for every mapping that has records and no thread; the threads do the progress."""
        for account_id, region, mapping in lambda_svc._iter_all_esms():
            if ":dynamodb:" not in mapping.get("EventSourceArn", ""):
                continue
            with request_scope(account_id, region):
                lambda_svc._init_stream_position(
                    mapping["UUID"], mapping["EventSourceArn"], mapping.get("StartingPosition", "LATEST")
                )
                consumer = StreamConsumer(lambda_svc, dynamodb, mapping)
                is_idle = mapping["UUID"] not in lambda_svc._esm_inflight
                if is_idle and consumer.is_live() and consumer.next_batch()[1]:
                    lambda_svc._dispatch_esm_batch(mapping["UUID"], run_in_scope, account_id, region, consumer)
        return False

    lambda_svc._poll_dynamodb_streams = poll
