"""What DynamoDB refused, in the words of the ports."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError
from pynamodb.exceptions import PynamoDBException, TransactWriteError

from parking.services.ports import Busy, Conflict, StoreUnavailable

_CANCELLED = "TransactionCanceledException"
_CONFLICTS = frozenset(
    {
        "ConditionalCheckFailed",
        "ConditionalCheckFailedException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_THROTTLES = frozenset(
    {
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingError",
        "ThrottlingException",
    }
)


_FAILURES = frozenset({"InternalFailure", "InternalServerError", "ServiceUnavailable", "ServiceUnavailableException"})


@contextmanager
def translated() -> Iterator[None]:
    """Raises Conflict, Busy or StoreUnavailable where that is what happened; every other error is a bug and stays."""
    try:
        yield
    except PynamoDBException as error:
        codes = _codes(error)
        if codes <= _CONFLICTS | _THROTTLES:
            # A lost race among throttled items is still a lost race: load and decide again.
            raise (Conflict if codes & _CONFLICTS else Busy)(", ".join(sorted(codes))) from error
        if isinstance(error.cause, BotoCoreError) or codes <= _FAILURES:
            raise StoreUnavailable(", ".join(sorted(codes))) from error
        raise


def _codes(error: PynamoDBException) -> frozenset[str]:
    """The reasons of a cancelled transaction, or else the error's own code; what is no answer at all has its type."""
    if not isinstance(error.cause, ClientError):
        return frozenset({type(error.cause).__name__})
    code = error.cause.response["Error"]["Code"]
    reasons = error.cancellation_reasons if isinstance(error, TransactWriteError) and code == _CANCELLED else []
    return frozenset(reason.code for reason in reasons if reason) or frozenset({code})
