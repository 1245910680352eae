"""All attributes through a local index that projects only some.

Gap: a Query of a local secondary index gives what the index projects, even when Select=ALL_ATTRIBUTES or a projection
expression asks for more. AWS fetches the rest from the table.
Closed by: leaving items whole in such a query. The capacity that AWS charges for the fetches is not counted.
No longer needed when: test_ministack_storage.py::test_without_the_patch_a_keys_only_index_gives_keys_only fails.
Source: DynamoDB Developer Guide, "Local Secondary Indexes", attribute projections.
"""

from contextvars import ContextVar
from typing import Any

from local.ministack.modules import ministack

_fetches_from_table: ContextVar[bool] = ContextVar("fetches_from_table", default=False)


def asks_beyond_index(request: dict[str, Any]) -> bool:
    """Whether a query names attributes itself, or wants all of them, instead of what the index projects."""
    return request.get("Select") == "ALL_ATTRIBUTES" or bool(
        request.get("ProjectionExpression") or request.get("AttributesToGet")
    )


def apply() -> None:
    dynamodb = ministack("services.dynamodb")
    query, project = dynamodb._query, dynamodb._apply_index_projection

    def query_with_fetch(request: dict[str, Any]) -> Any:
        token = _fetches_from_table.set(asks_beyond_index(request))
        try:
            return query(request)
        finally:
            _fetches_from_table.reset(token)

    def project_unless_fetched(item: dict[str, Any], table: dict[str, Any], index_name: str | None) -> Any:
        is_local = any(index["IndexName"] == index_name for index in table.get("LocalSecondaryIndexes") or [])
        return item if is_local and _fetches_from_table.get() else project(item, table, index_name)

    dynamodb._query = query_with_fetch
    dynamodb._apply_index_projection = project_unless_fetched
