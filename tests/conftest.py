"""Two halves that run side by side: the deployed stack, which mostly waits, and everything else, which mostly computes.

`make test` gives each a process of its own (pytest-xdist, by group); without that they run one after the other.
"""

import os
from pathlib import Path

import pytest

# The template gives it to every function; without it no metric can be written. Read when a function is imported.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "SmartParking")

END_TO_END = Path(__file__).parent / "e2e"
SAYS = "says"
"""The property of a test that has something to say to people even when it passes: a seed, a count."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        half = "stack" if END_TO_END in item.path.parents else "rest"
        item.add_marker(pytest.mark.xdist_group(half))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    for report in reports:
        for name, value in report.user_properties:
            if name == SAYS:
                terminalreporter.write_line(str(value))
