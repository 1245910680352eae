"""docs/openapi.json says what the handlers do, in a way that other people's tools understand."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import validate

from local import openapi


@pytest.fixture(scope="module")
def committed() -> Any:
    return json.loads(openapi.DOCUMENT.read_text())


def described(document: Any) -> Iterator[tuple[str, Any]]:
    """Every operation, and what is said of it."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield f"{method.upper()} {path}", operation


def test_the_committed_document_is_what_the_handlers_say() -> None:
    assert openapi.DOCUMENT.read_text() == openapi.text(), "run `make openapi` and commit docs/openapi.json"


def test_the_document_is_valid_openapi(committed: Any) -> None:
    validate(committed)


def test_no_two_operations_have_the_same_name(committed: Any) -> None:
    """A generated client calls each operation by its handler's name."""
    names = Counter(operation["operationId"] for _, operation in described(committed))
    assert {name: count for name, count in names.items() if count > 1} == {}, "rename one of the handlers"


def test_every_refusal_of_ours_is_a_problem_document(committed: Any) -> None:
    ours = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for name, operation in described(committed):
        for status, response in operation["responses"].items():
            if int(status) >= 400 and status != "401":  # 401 is API Gateway's own
                assert response["content"] == ours, f"{name} {status}"


def test_every_path_that_can_be_misspelt_can_be_not_found(committed: Any) -> None:
    """An id with other letters than ours finds no route."""
    assert [name for name, one in described(committed) if "{" in name and "404" not in one["responses"]] == []


def test_every_schema_states_its_limits_in_words_that_json_schema_knows(committed: Any) -> None:
    text = json.dumps(committed)
    assert [word for word in ("ge", "gt", "le", "lt", "max_length") if f'"{word}": ' in text] == []
