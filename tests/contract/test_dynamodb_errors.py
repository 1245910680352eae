"""What DynamoDB's refusals mean to a use case."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from pynamodb.exceptions import CancellationReason, PutError, PynamoDBException, TransactWriteError, VerboseClientError

from parking.adapters.dynamodb.errors import translated
from parking.services.ports import Busy, Conflict

_CANCELLED = "TransactionCanceledException"


def _refused(code: str) -> PynamoDBException:
    return PutError("refused", ClientError({"Error": {"Code": code, "Message": ""}}, "PutItem"))


def _cancelled(*codes: str | None) -> PynamoDBException:
    reasons = [CancellationReason(code) if code else None for code in codes]
    answer: dict[str, Any] = {"Error": {"Code": _CANCELLED, "Message": ""}}
    return TransactWriteError(
        "cancelled", VerboseClientError(answer, "TransactWriteItems", cancellation_reasons=reasons)
    )


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (_refused("ConditionalCheckFailedException"), Conflict),
        (_refused("TransactionConflictException"), Conflict),
        (_refused("TransactionInProgressException"), Conflict),
        (_cancelled("ConditionalCheckFailed", None), Conflict),
        (_cancelled(None, "TransactionConflict"), Conflict),
        (_cancelled("ThrottlingError", "ConditionalCheckFailed"), Conflict),
        (_cancelled("ThrottlingError", None), Busy),
        (_cancelled("ProvisionedThroughputExceeded"), Busy),
        (_refused("ProvisionedThroughputExceededException"), Busy),
        (_refused("ThrottlingException"), Busy),
        (_refused("RequestLimitExceeded"), Busy),
        (_refused("ValidationException"), PutError),
        (_refused("AccessDeniedException"), PutError),
        (_refused("InternalServerError"), PutError),
        (_cancelled("ValidationError", "ConditionalCheckFailed"), TransactWriteError),
        (_cancelled("ItemCollectionSizeLimitExceeded"), TransactWriteError),
        (_cancelled(), TransactWriteError),
        (PutError("unknown outcome", ReadTimeoutError(endpoint_url="")), PutError),
    ],
)
def test_a_refusal_is_a_conflict_or_a_full_house_or_stays_what_it_is(
    error: PynamoDBException, meaning: type[Exception]
) -> None:
    with pytest.raises(meaning), translated():
        raise error
