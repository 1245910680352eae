"""What Lambda says of itself to a handler that a test calls."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Context:
    """An invocation that has just begun."""

    function_name: str = "function"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:000000000000:function:function"
    aws_request_id: str = "request"

    def get_remaining_time_in_millis(self) -> int:
        """All of it."""
        return 50_000


CONTEXT: Any = Context()
