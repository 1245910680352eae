"""Requests of the HTTP API: few functions at once, the others wait in line.

Gap: every concurrent request that finds no warm worker starts another process. Fifty drivers at once start fifty of
them, which keep two cores busy for longer than a function's timeout: requests fail that AWS would have served.
Closed by: a semaphore around the API's invocations. They have threads of their own, so that waiting blocks nobody,
and the function's timeout counts from its turn.
No longer needed when: test_ministack_http_api.py::test_without_the_patch_every_request_starts_a_worker fails.
"""

import threading
from typing import Any

from local.ministack.modules import ministack

AT_ONCE = 8


def apply() -> None:
    lambda_svc = ministack("services.lambda_svc")
    execute = lambda_svc._execute_function_with_config_scope
    turns = threading.BoundedSemaphore(AT_ONCE)

    def execute_in_turn(function: dict[str, Any], event: dict[str, Any]) -> Any:
        with turns:
            return execute(function, event)

    lambda_svc._execute_function_with_config_scope = execute_in_turn
