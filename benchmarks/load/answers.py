"""What was asked and answered, and what that says of each route."""

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

EVENNESS_MAX = 5
READ = "GET"
ALL_READS = "GET, all"


@dataclass(frozen=True, slots=True)
class Answer:
    """One request: its route as the API's document names it, and what came. Status 0: the connection broke."""

    route: str
    asked_at: datetime
    milliseconds: float
    status: int
    code: str = ""
    """The problem's code, of an answer that is one."""

    @property
    def read(self) -> bool:
        """Whether it changes nothing."""
        return self.route.startswith(READ)

    @property
    def conflict(self) -> bool:
        """Somebody else was faster: nobody's fault."""
        return self.status == HTTPStatus.CONFLICT

    @property
    def server_error(self) -> bool:
        """Our fault, and a broken connection counts as one."""
        return self.status == 0 or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def refused(self) -> bool:
        """An answer that none of these drivers should get."""
        return not (self.conflict or self.server_error or HTTPStatus(self.status).is_success)


@dataclass(frozen=True, slots=True)
class Line:
    """One route, or several together."""

    route: str
    requests: int
    p50: float
    p95: float
    p99: float
    conflicts: int
    server_errors: int
    refused: int

    @classmethod
    def of(cls, route: str, answers: Sequence[Answer]) -> "Line":
        """Percentiles in milliseconds, interpolated; of one answer alone they are that answer."""
        times = [one.milliseconds for one in answers]
        cuts = statistics.quantiles(times * 2 if len(times) == 1 else times, n=100, method="inclusive")
        return cls(
            route,
            len(answers),
            cuts[49],
            cuts[94],
            cuts[98],
            sum(one.conflict for one in answers),
            sum(one.server_error for one in answers),
            sum(one.refused for one in answers),
        )

    @property
    def evenness(self) -> float:
        """How far the slowest answers are from the usual one."""
        return self.p99 / self.p50


def lines(answers: Sequence[Answer]) -> list[Line]:
    """Each route, reads first, then by name; at the end all reads together."""
    routes = sorted({one.route for one in answers}, key=lambda route: (not route.startswith(READ), route))
    table = [Line.of(route, [one for one in answers if one.route == route]) for route in routes]
    reads = [one for one in answers if one.read]
    return [*table, Line.of(ALL_READS, reads)] if reads else table


def missed(table: Sequence[Line], violations: Sequence[str]) -> Iterator[str]:
    """The promises that were not kept (issue 7): 0 × 5xx, nothing refused, no broken rule, each read even."""
    for line in table:
        if line.route == ALL_READS:
            continue  # of routes that cost unlike much
        if line.server_errors:
            yield f"{line.route}: {line.server_errors} × 5xx"
        if line.refused:
            yield f"{line.route}: {line.refused} refused"
        if line.route.startswith(READ) and line.evenness > EVENNESS_MAX:
            yield f"{line.route}: p99 is {line.evenness:.1f} × p50, promised {EVENNESS_MAX}"
    if violations:
        yield f"{len(violations)} rules broken"


def conflicts(answers: Sequence[Answer]) -> Counter[str]:
    """How many 409s of each code."""
    return Counter(one.code for one in answers if one.conflict)


def markdown(table: Sequence[Line]) -> str:
    """For docs/performance.md."""
    head = "| route | requests | p50 ms | p95 ms | p99 ms | p99 / p50 | 409 | 5xx |\n|---|---|---|---|---|---|---|---|"
    rows = (
        f"| {one.route} | {one.requests} | {one.p50:.0f} | {one.p95:.0f} | {one.p99:.0f} | {one.evenness:.1f} "
        f"| {one.conflicts} | {one.server_errors} |"
        for one in table
    )
    return "\n".join([head, *rows])
