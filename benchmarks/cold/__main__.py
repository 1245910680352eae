"""Every function's cold start beside two yardsticks: `make bench-cold` prints the table of docs/performance.md.

What `sam build` made runs under AWS's Runtime Interface Emulator; its log gives the time of INIT. All functions take
turns, nine times, so that a busy machine slows all of them alike, and the figures that count are ratios of medians.
"""

import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks.cold.built import Function, ours, yardsticks
from benchmarks.cold.emulated import ColdStart, cold_start, nothing_stored
from local.processes import Processes
from local.tools import STATE_FOLDER, environment

ROUNDS = 9
RATIO_MAX = 0.45
RATIO_WITHOUT_HTTP_MAX = 0.33
PROCESSOR_SHARE = 512 / 1769  # of what our memory buys on Lambda, once INIT is over
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
YARDSTICKS = {"Empty": "(a)", "Plain": "(b)"}
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


def _line(one: Function, starts: dict[str, list[ColdStart]]) -> tuple[str, bool]:
    """A line of the table, and whether its promise holds."""
    taken = [start.init_ms for start in starts[one.name]]
    ratio = statistics.median(taken) / _median_init_ms(starts["Plain"])
    most = RATIO_MAX if one.has_http else RATIO_WITHOUT_HTTP_MAX
    is_yardstick = one.name in YARDSTICKS
    kept = is_yardstick or ratio <= most
    promise = YARDSTICKS[one.name] if is_yardstick else f"{most:.2f}" if kept else f"{most:.2f} **missed**"
    spread = f"{min(taken):.0f} to {max(taken):.0f}"
    return f"| {one.name} | {statistics.median(taken):.0f} | {spread} | {ratio:.2f} | {promise} |", kept


def _median_init_ms(starts: list[ColdStart]) -> float:
    return statistics.median(start.init_ms for start in starts)


def _request_ms(starts: list[ColdStart], processor_share: float) -> float:
    """INIT and the answer to the first request, if it had this share of the processor."""
    assert {start.answer["statusCode"] for start in starts} == {404}
    return statistics.median(start.init_ms + start.invoke_ms / processor_share for start in starts)


def main() -> int:
    """0 if every promise holds."""
    with Processes(STATE_FOLDER / "cold") as processes:
        functions = [*yardsticks(processes), *ours(processes)]
    before = _files(functions)
    starts = _measured(functions)
    assert _files(functions) == before, "something was written into the code while it was measured"
    lines = [_line(one, starts) for one in functions]
    print(f"| function | INIT ms, median of {ROUNDS} | fastest to slowest | × (b) | at most |")
    print("|---|---|---|---|---|", *(line for line, _ in lines), sep="\n")
    print("\nA cold start and the answer to a GetItem that finds nothing:\n")
    print("| the request has | (b) ms | SpotsApi ms | ratio |", "|---|---|---|---|", sep="\n")
    for share, said in ((1.0, "the whole processor, as here"), (PROCESSOR_SHARE, "0.29 of it, as on Lambda")):
        plain_ms, our_ms = _request_ms(starts["Plain"], share), _request_ms(starts["SpotsApi"], share)
        print(f"| {said} | {plain_ms:.0f} | {our_ms:.0f} | {our_ms / plain_ms:.2f} |")
    return 0 if all(kept for _, kept in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
