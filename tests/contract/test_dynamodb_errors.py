"""What DynamoDB's refusals mean to a use case."""

import time
from dataclasses import fields, replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from pynamodb.exceptions import CancellationReason, PutError, PynamoDBException, TransactWriteError, VerboseClientError

from parking.adapters.dynamodb.errors import translated
from parking.adapters.dynamodb.schema import shape_of
from parking.adapters.dynamodb.store import BATCH_ATTEMPTS_MAX, DynamoStore
from parking.adapters.dynamodb.tables import Tables
from parking.domain.ledger import Wallet
from parking.services.ports import Busy, Conflict, StoreUnavailable
from tests.builders import a_wallet
from tests.contract.emulators import create_tables

TABLES = Tables(**{field.name: field.name.replace("_", "-") for field in fields(Tables)})
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
        (_refused("InternalServerError"), StoreUnavailable),
        (_cancelled("ValidationError", "ConditionalCheckFailed"), TransactWriteError),
        (_cancelled("ItemCollectionSizeLimitExceeded"), TransactWriteError),
        (_cancelled(), TransactWriteError),
        (PutError("unknown outcome", ReadTimeoutError(endpoint_url="")), StoreUnavailable),
    ],
)
def test_an_error_means_a_conflict_a_full_house_or_silence_or_stays_what_it_is(
    error: PynamoDBException, meaning: type[Exception]
) -> None:
    with pytest.raises(meaning), translated():
        raise error


class _HalfDeafTable:
    """BatchGetItem that leaves the last key of every call unprocessed, as throttled tables do."""

    def __init__(self, wallets: list[Wallet], answered: int) -> None:
        self.calls = 0
        self._items = {wallet.user_id: shape_of(Wallet).item(wallet) for wallet in wallets}
        self._answered = answered

    def batch_get_item(self, table: str, keys: list[dict[str, Any]], *, consistent_read: bool) -> dict[str, Any]:
        assert consistent_read
        self.calls += 1
        ids = [key["user_id"]["S"] if isinstance(key["user_id"], dict) else key["user_id"] for key in keys]
        done, left = ids[: self._answered], ids[self._answered :]
        unprocessed = {table: {"Keys": [{"user_id": {"S": user_id}} for user_id in left]}} if left else {}
        return {"Responses": {table: [self._items[user_id] for user_id in done]}, "UnprocessedKeys": unprocessed}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def test_unprocessed_keys_are_asked_again_with_growing_pauses(
    monkeypatch: pytest.MonkeyPatch, pauses: list[float]
) -> None:
    wallets = [a_wallet() for _ in range(3)]
    store, table = DynamoStore(TABLES), _HalfDeafTable(wallets, answered=1)
    monkeypatch.setattr(store, "_connection", table)
    assert store.get_many(Wallet, [wallet.key for wallet in wallets]) == [
        replace(wallet, version=1) for wallet in wallets
    ]
    assert table.calls == 3
    assert pauses == sorted(pauses)


def test_keys_that_stay_unprocessed_make_the_store_busy(monkeypatch: pytest.MonkeyPatch, pauses: list[float]) -> None:
    wallet = a_wallet()
    store, table = DynamoStore(TABLES), _HalfDeafTable([wallet], answered=0)
    monkeypatch.setattr(store, "_connection", table)
    with pytest.raises(Busy):
        store.get_many(Wallet, [wallet.key])
    assert table.calls == BATCH_ATTEMPTS_MAX
    assert len(pauses) == BATCH_ATTEMPTS_MAX - 1


def test_two_stores_in_one_process_keep_their_tables_apart(dynamo_store: DynamoStore) -> None:
    other, wallet = DynamoStore(create_tables()), a_wallet()
    other.commit(wallet)
    assert dynamo_store.get(Wallet, *wallet.key) is None
    assert other.get(Wallet, *wallet.key) == replace(wallet, version=1)
