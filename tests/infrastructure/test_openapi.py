"""docs/openapi.json says what the handlers do."""

from local import openapi


def test_the_committed_document_is_what_the_handlers_say() -> None:
    assert openapi.DOCUMENT.read_text() == openapi.text(), "run `make openapi` and commit docs/openapi.json"
