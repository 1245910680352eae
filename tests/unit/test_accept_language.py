"""The header with which a phone says what its driver reads."""

import pytest

from notifications.accept_language import wished


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("", []),
        ("ru", ["ru"]),
        ("ru-RU,ru;q=0.9,en;q=0.8", ["ru-RU", "ru", "en"]),
        ("en;q=0.5, ru;q=0.9, et", ["et", "ru", "en"]),
        ("da, en-gb;q=0.8, en;q=0.7", ["da", "en-gb", "en"]),
        ("et;q=0, ru", ["ru"]),
        ("en;q=many, ru", ["ru"]),
        (",;q=1,,ru", ["ru"]),
        ("*", ["*"]),
    ],
)
def test_the_most_wanted_language_comes_first(header: str, tags: list[str]) -> None:
    assert wished(header) == tags


def test_a_weight_that_is_no_number_wants_nothing() -> None:
    assert wished("en;q=nan, ru;q=inf, et;q=0.1") == ["ru", "et"]
