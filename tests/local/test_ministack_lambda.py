"""Lambda workers: the price of an invocation, logs, layers, reserved concurrency."""

import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

from tests.local.ministack_support import RunningMiniStack, eventually

LOG_WAIT_MS = 50


def median_invocation_ms(running: RunningMiniStack) -> float:
    client = running.client("lambda")
    name, payload = running.outputs["Sleeper"], json.dumps({"seconds": 0})
    client.invoke(FunctionName=name, Payload=payload)  # the cold start is not what is measured

    def timed_ms() -> float:
        started_at = time.perf_counter()
        client.invoke(FunctionName=name, Payload=payload)
        return (time.perf_counter() - started_at) * 1000

    return statistics.median(timed_ms() for _ in range(15))


def invoke_twice_at_once(running: RunningMiniStack, function_output: str) -> list[Any]:
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(running.invoke, function_output, {"seconds": 0.5}) for _ in range(2)]
        return [call.exception() or call.result() for call in calls]


def test_a_silent_invocation_costs_no_wait(patched: RunningMiniStack) -> None:
    assert median_invocation_ms(patched) < LOG_WAIT_MS


def test_what_a_function_prints_is_in_its_log_group(patched: RunningMiniStack) -> None:
    text = f"said {uuid4().hex}"
    patched.invoke("Sleeper", {"seconds": 0, "say": text})
    logs, group = patched.client("logs"), f"/aws/lambda/{patched.outputs['Sleeper']}"
    found = eventually(lambda: logs.filter_log_events(logGroupName=group, filterPattern=f'"{text}"')["events"], bool)
    assert [event["message"].strip() for event in found] == [text]


def test_workers_share_one_copy_of_a_layer(patched: RunningMiniStack) -> None:
    answers = invoke_twice_at_once(patched, "Sleeper")
    assert len({answer["pid"] for answer in answers}) == 2
    assert len({answer["layer_file"] for answer in answers}) == 1


def test_reserved_concurrency_refuses_a_second_execution(patched: RunningMiniStack) -> None:
    results = invoke_twice_at_once(patched, "Reserved")
    assert [type(result).__name__ for result in results if isinstance(result, Exception)] == [
        "TooManyRequestsException"
    ]


def test_without_the_patch_a_silent_invocation_waits_for_logs(unpatched: RunningMiniStack) -> None:
    assert median_invocation_ms(unpatched) > LOG_WAIT_MS


def test_without_the_patch_every_worker_has_its_own_copy_of_a_layer(unpatched: RunningMiniStack) -> None:
    assert len({answer["layer_file"] for answer in invoke_twice_at_once(unpatched, "Sleeper")}) == 2


def test_without_the_patch_reserved_concurrency_is_ignored(unpatched: RunningMiniStack) -> None:
    assert [result for result in invoke_twice_at_once(unpatched, "Reserved") if isinstance(result, Exception)] == []
