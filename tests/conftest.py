"""Two halves that run side by side: the deployed stack, which mostly waits, and everything else, which mostly computes.

`make test` gives each a process of its own (pytest-xdist); without that they run one after the other.
"""

import os

import pytest
from xdist.scheduler import LoadScopeScheduling

# The template gives it to every function; without it no metric can be written. Read when a function is imported.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "SmartParking")

SAYS = "says"
"""The property of a test that has something to say to people even when it passes: a seed, a count."""


class Halves(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no type marker
    """One process has the deployed stack to itself."""

    def _split_scope(self, nodeid: str) -> str:
        return "stack" if nodeid.startswith("tests/e2e/") else "rest"


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """https://pytest-xdist.readthedocs.io/en/stable/distribution.html"""
    return Halves(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    for report in reports:
        for name, value in report.user_properties:
            if name == SAYS:
                terminalreporter.write_line(str(value))
