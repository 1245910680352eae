"""What `make bench-load` makes of the answers: percentiles, the promises, the table and the picture."""

import xml.etree.ElementTree as ET

import pytest

from benchmarks.load.answers import ALL_READS, Answer, Line, conflicts, lines, markdown, missed
from benchmarks.load.plot import plotted
from tests.builders import NOW

ROUTE = "GET /wallet"


def given(*milliseconds: float, route: str = ROUTE, status: int = 200, code: str = "") -> list[Answer]:
    return [Answer(route, NOW, one, status, code) for one in milliseconds]


EVEN = given(*range(10, 40))


def test_percentiles_are_of_all_answers_whatever_their_order() -> None:
    line = Line.of(ROUTE, given(*range(100, -1, -1)))
    assert (line.requests, line.p50, line.p95, line.p99) == (101, 50, 95, 99)


def test_a_route_that_was_asked_once_shows_that_answer() -> None:
    line = Line.of(ROUTE, given(7))
    assert (line.requests, line.p50, line.p95, line.p99) == (1, 7, 7, 7)


def test_reads_come_first_and_once_more_together() -> None:
    table = lines([*given(1, route="POST /payments"), *given(2, 4, route="GET /spots"), *given(6)])
    assert [(line.route, line.requests) for line in table] == [
        ("GET /spots", 2),
        (ROUTE, 1),
        ("POST /payments", 1),
        (ALL_READS, 3),
    ]


def test_promises_that_are_kept_leave_nothing_to_say() -> None:
    assert list(missed(lines([*EVEN, *given(900, route="POST /payments")]), [])) == []


def test_a_conflict_is_counted_by_its_code_and_is_no_fault() -> None:
    answers = given(1, 1, route="POST /reservations", status=409, code="spot_unavailable")
    assert conflicts([*answers, *EVEN]) == {"spot_unavailable": 2}
    table = lines(answers)
    assert (table[0].conflicts, table[0].server_errors, table[0].refused) == (2, 0, 0)
    assert list(missed(table, [])) == []


@pytest.mark.parametrize("status", [500, 502, 503, 0])
def test_an_error_of_the_server_and_a_broken_connection_break_the_promise_once(status: int) -> None:
    assert list(missed(lines([*EVEN, *given(1, status=status)]), [])) == [f"{ROUTE}: 1 × 5xx"]


@pytest.mark.parametrize("status", [400, 401, 402, 404, 422, 429])
def test_an_answer_that_no_driver_should_get_breaks_the_promise(status: int) -> None:
    assert list(missed(lines([*EVEN, *given(1, status=status)]), [])) == [f"{ROUTE}: 1 refused"]


def test_a_broken_rule_breaks_the_promise() -> None:
    assert list(missed(lines(EVEN), ["two stays overlap"])) == ["1 rules broken"]


def test_slow_reads_break_the_promise_and_slow_writes_do_not() -> None:
    slow = [10.0] * 98 + [51.0] * 2
    assert list(missed(lines([*EVEN, *given(*slow, route="POST /payments")]), [])) == []
    assert list(missed(lines(given(*slow)), [])) == [f"{ROUTE}: p99 is 5.1 × p50, promised 5"]


def test_each_read_is_judged_by_itself_since_some_cost_more_than_others() -> None:
    table = lines([*given(*[1.0] * 95), *given(*[20.0] * 5, route="GET /spots")])
    assert table[-1].evenness > 5
    assert list(missed(table, [])) == []


def test_the_table_is_markdown() -> None:
    assert markdown(lines(given(8, 8))).splitlines() == [
        "| route | requests | p50 ms | p95 ms | p99 ms | p99 / p50 | 409 | 5xx |",
        "|---|---|---|---|---|---|---|---|",
        "| GET /wallet | 2 | 8 | 8 | 8 | 1.0 | 0 | 0 |",
        "| GET, all | 2 | 8 | 8 | 8 | 1.0 | 0 | 0 |",
    ]


def test_the_picture_names_each_route_and_runs_nothing() -> None:
    picture = plotted(lines([*given(8), *given(9, route="POST /payments")]), "2 drivers")
    root = ET.fromstring(picture)  # noqa: S314 - we have just made it
    texts = {text.strip() for text in root.itertext()}
    assert {ROUTE, "POST /payments", "p50", "p95", "p99"} <= texts
    assert "Milliseconds by route (2 drivers)" in texts
    assert b"<script" not in picture
    assert b"transparent" in picture
