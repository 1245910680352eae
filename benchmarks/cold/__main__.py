"""Every function's cold start beside two yardsticks: `make bench-cold` (docs/performance.md).

What `sam build` made runs under AWS's Runtime Interface Emulator; its log gives the time of INIT. All functions take
turns, nine times, so that a busy machine slows all of them alike, and the figures that count are ratios of medians.
"""

import statistics
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.cold.built import Function, ours, yardsticks
from benchmarks.cold.emulated import ColdStart, cold_start, nothing_stored
from local.processes import Processes
from local.tools import STATE_FOLDER, environment

ROUNDS = 9
RATIO_MAX = 0.45
RATIO_WITHOUT_HTTP_MAX = 0.33
HTTP_EVENT: dict[str, Any] = {
    "version": "2.0",
    "rawPath": "/spots/none",
    "rawQueryString": "",
    "headers": {},
    "requestContext": {
        "http": {"method": "GET", "path": "/spots/none", "sourceIp": "127.0.0.1"},
        "requestId": "measured",
        "stage": "$default",
        "timeEpoch": 1_790_000_000_000,
    },
    "isBase64Encoded": False,
}
RUNTIME = Path(__file__).parent / "runtime"


def _files(functions: list[Function]) -> set[Path]:
    return {path for folder in {folder for one in functions for folder in one.path} for path in folder.rglob("*")}


def _measured(functions: list[Function]) -> dict[str, list[ColdStart]]:
    python = environment(RUNTIME, "lambda-runtime", "--compile-bytecode")
    starts: dict[str, list[ColdStart]] = {one.name: [] for one in functions}
    with nothing_stored() as endpoint_url:
        for _ in range(ROUNDS):
            for one in functions:
                starts[one.name].append(cold_start(one, python, endpoint_url, HTTP_EVENT))
    return starts


def _request_ms(starts: list[ColdStart]) -> float:
    assert {start.answer["statusCode"] for start in starts} == {404}
    return statistics.median(start.init_ms + start.invoke_ms for start in starts)


def main() -> int:
    """0 if every promise holds."""
    with Processes(STATE_FOLDER / "cold") as processes:
        functions = [*yardsticks(processes), *ours(processes)]
    before = _files(functions)
    starts = _measured(functions)
    assert _files(functions) == before, "something was written into the code while it was measured"
    init_ms = {name: statistics.median(start.init_ms for start in taken) for name, taken in starts.items()}
    plain_ms = init_ms["Plain"]
    table = Table("function", "INIT ms", "fastest", "slowest", "× (b)", "at most")
    missed = 0
    for one in functions:
        ratio = init_ms[one.name] / plain_ms
        most = RATIO_MAX if one.has_http else RATIO_WITHOUT_HTTP_MAX
        if one.name in ("Empty", "Plain"):
            promise = "(a)" if one.name == "Empty" else "(b)"
        else:
            missed += ratio > most
            promise = f"{most:.2f}" + (" MISSED" if ratio > most else "")
        taken = [start.init_ms for start in starts[one.name]]
        figures = [f"{ms:.0f}" for ms in (init_ms[one.name], min(taken), max(taken))]
        table.add_row(one.name, *figures, f"{ratio:.2f}", promise)
    console = Console(width=100)
    console.print(table)
    plain_request_ms, our_request_ms = _request_ms(starts["Plain"]), _request_ms(starts["SpotsApi"])
    console.print(
        f"INIT and the first request (a GetItem that finds nothing): (b) {plain_request_ms:.0f} ms, "
        f"SpotsApi {our_request_ms:.0f} ms, ratio {our_request_ms / plain_request_ms:.2f}"
    )
    return min(missed, 1)


if __name__ == "__main__":
    sys.exit(main())
