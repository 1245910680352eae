"""The text of a condition, read once.

Gap: a Query reads and checks the text of its key condition again for every item that it looks at. One thread serves
all of MiniStack, so everybody waits for it: with fifty drivers it was a third of that thread's work.
Closed by: remembering what was read. Both functions know nothing but the text (and the kind of the expression).
No longer needed when: test_ministack_storage.py::test_a_condition_is_read_once_for_all_items_of_a_query fails.
"""

from functools import lru_cache
from typing import Any

from local.ministack.modules import ministack

REMEMBERED = 1000  # the system has a few dozen expressions


def apply() -> None:
    dynamodb = ministack("services.dynamodb")
    tokenize = dynamodb._tokenize

    @lru_cache(REMEMBERED)
    def tokens_of(expression: str) -> tuple[Any, ...]:
        return tuple(tokenize(expression))  # nobody may change what others read, too

    dynamodb._tokenize = tokens_of
    dynamodb._condition_syntax_error = lru_cache(REMEMBERED)(dynamodb._condition_syntax_error)
