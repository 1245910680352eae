"""Asynchronous invocations: few at once, retried, and with a failure destination.

Gap: MiniStack starts a thread (and so a worker process) for every event of a schedule or of an IoT rule, all at once,
and forgets the event when the function fails. A few hundred devices that connect together bring the machine down.
Closed by: one pool for all of them. A failed event is tried again after a pause spent outside the pool; the last
failure goes to the function's on-failure destination or dead-letter queue, as MiniStack does it for
`InvocationType=Event`.
No longer needed when: the `without_the_patch` tests of test_ministack_async.py fail.
"""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from local.ministack.modules import ministack

AT_ONCE = 6
RETRIES_DEFAULT = 2
AGE_MAX_SECONDS_DEFAULT = 21_600
# AWS waits one minute, then two. A laptop should not.
RETRY_PAUSES_SECONDS = (1.0, 2.0)


@dataclass(frozen=True)
class Invocation:
    """One event for one function. `function` is MiniStack's record, which also says in which account and region.

    `settings` is the EventInvokeConfig of the function, or of the alias that was called; empty where there is none.
    """

    function: dict[str, Any]
    settings: dict[str, Any]
    event: Any
    submitted_at: float  # on the monotonic clock
    failures: int = 0

    @property
    def pause_seconds(self) -> float:
        return RETRY_PAUSES_SECONDS[min(self.failures, len(RETRY_PAUSES_SECONDS) - 1)]

    @property
    def has_retries_left(self) -> bool:
        return self.failures < int(self.settings.get("MaximumRetryAttempts", RETRIES_DEFAULT))

    @property
    def will_be_young_enough(self) -> bool:
        """Whether the next attempt still falls within the maximum age of an event."""
        age_seconds = time.monotonic() - self.submitted_at + self.pause_seconds
        return age_seconds < int(self.settings.get("MaximumEventAgeInSeconds", AGE_MAX_SECONDS_DEFAULT))

    @property
    def failure_target(self) -> str | None:
        destination: str | None = self.settings.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        return destination or (self.function["config"].get("DeadLetterConfig") or {}).get("TargetArn")


def settings_of(function: dict[str, Any], qualifier: str | None = None) -> dict[str, Any]:
    """The EventInvokeConfig of an alias or a version, or of the function itself; empty where there is none."""
    qualified: dict[str, Any] = function.get("event_invoke_configs") or {}
    own = None if qualifier else function.get("event_invoke_config")
    return own or qualified.get(qualifier or "$LATEST") or {}


class AsyncInvoker:
    """Runs invocations through a bounded pool, with the function's own retry settings."""

    def __init__(self, lambda_svc: Any) -> None:
        self._lambda = lambda_svc
        self._pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="bounded-async")

    def submit(self, function: dict[str, Any], event: Any) -> None:
        """What MiniStack invokes by itself: the function, not an alias of it."""
        self._enqueue(Invocation(function, settings_of(function), event, time.monotonic()))

    def call(self, function_arn: str, event: Any) -> None:
        """What a rule calls, by a function's ARN or an alias's, which says the version and has settings of its own."""
        function, configuration, _name = self._lambda._get_func_record_for_ref(function_arn)
        if not function or not configuration:
            return
        base, _, _ = self._lambda._get_base_func_record_for_ref(function_arn)
        _, qualifier = self._lambda._lambda_function_name_and_qualifier_from_arn(function_arn)
        settings = settings_of(base, qualifier)
        record = self._lambda._execution_record_for_config(function, configuration)
        self._enqueue(Invocation(record, settings, event, time.monotonic()))

    def _enqueue(self, invocation: Invocation) -> None:
        in_scope = self._lambda._run_with_function_config_scope
        self._pool.submit(in_scope, invocation.function, self._attempt, invocation)

    def _attempt(self, invocation: Invocation) -> None:
        result = self._lambda._execute_function(invocation.function, invocation.event)
        if not result.get("error"):
            return
        # A throttled event has not been tried, so it is no failure.
        throttled = result.get("throttle", False)
        if invocation.will_be_young_enough and (throttled or invocation.has_retries_left):
            again = invocation if throttled else replace(invocation, failures=invocation.failures + 1)
            timer = threading.Timer(invocation.pause_seconds, self._enqueue, (again,))
            timer.daemon = True
            timer.start()
        elif invocation.failure_target:
            name = invocation.function["config"]["FunctionName"]
            self._lambda._route_async_failure(invocation.failure_target, name, invocation.event, result)


def apply() -> None:
    lambda_svc = ministack("services.lambda_svc")
    invoker = AsyncInvoker(lambda_svc)

    request_scope = ministack("core.responses").request_scope

    def dispatch_schedule(function_arn: str, payload: str) -> None:
        invoker.call(function_arn, json.loads(payload))

    def dispatch_rule(account_id: str, region: str, function_arn: str, event: Any) -> None:
        with request_scope(account_id, region):
            invoker.call(function_arn, event)

    lambda_svc.invoke_async_with_retry = invoker.submit
    ministack("services.eventbridge")._dispatch_to_lambda = dispatch_schedule
    ministack("services.iot")._dispatch_rule_to_lambda = dispatch_rule
