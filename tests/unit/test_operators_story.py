"""The story of a stay, read from the logs: which lines, in which order, in which words."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from operators.story import Line, groups_of, said, story

type Json = dict[str, Any]

SINCE = datetime(2026, 12, 1, tzinfo=UTC)


class Logs:
    """CloudWatch Logs, as far as a story asks for it: filters are not its strength, as they are not the emulator's."""

    def __init__(self, **groups: list[tuple[int, Json]]) -> None:
        self.groups = {f"/aws/lambda/stack/{name}": lines for name, lines in groups.items()}

    def get_paginator(self, name: str) -> Any:
        """The pages of one call, one line or group each."""
        return type("Paginator", (), {"paginate": staticmethod(getattr(self, name))})

    def describe_log_groups(self, logGroupNamePrefix: str) -> Iterator[Json]:  # noqa: N803  # as boto3 spells it
        """By prefix."""
        for name in self.groups:
            if name.startswith(logGroupNamePrefix):
                yield {"logGroups": [{"logGroupName": name}]}

    def filter_log_events(self, **asked: Any) -> Iterator[Json]:
        """Everything since then."""
        for second, line in self.groups[asked["logGroupName"]]:
            assert json.loads(asked["filterPattern"])
            yield {"events": [{"timestamp": asked["startTime"] + second * 1000, "message": json.dumps(line)}]}


def test_a_story_is_every_line_that_names_the_id_in_the_order_of_time_over_all_functions() -> None:
    logs = Logs(
        ReservationsApi=[(1, {"message": "committed", "reservation_ids": ["res_1"]}), (9, {"message": "other res_2"})],
        ExpireHolds=[(3, {"message": "item failed", "key": ["anna", "res_1"]})],
        PaymentsApi=[(2, {"message": "committed", "reservation_ids": ["res_1"]})],
    )
    lines = story(logs, groups_of(logs, "stack"), "res_1", SINCE)
    assert [(line.at.second, line.group) for line in lines] == [
        (1, "ReservationsApi"),
        (2, "PaymentsApi"),
        (3, "ExpireHolds"),
    ]


def test_a_line_is_dated_by_its_own_word_where_it_has_one() -> None:
    early = {"message": "first", "timestamp": "2026-12-01 00:00:03,250+0000", "id": "res_1"}
    logs = Logs(ReservationsApi=[(8, early)], PaymentsApi=[(5, {"message": "second", "id": "res_1"})])
    lines = story(logs, groups_of(logs, "stack"), "res_1", SINCE)
    assert [(str(line.at), line.text.split()[0]) for line in lines] == [
        ("2026-12-01 00:00:03.250000+00:00", "first"),
        ("2026-12-01 00:00:05+00:00", "second"),
    ]


def test_only_the_logs_of_the_stack_are_searched() -> None:
    logs = Logs(ReservationsApi=[])
    assert list(groups_of(logs, "stack")) == ["/aws/lambda/stack/ReservationsApi"]
    assert list(groups_of(logs, "stac")) == []


def test_a_line_says_its_message_its_facts_and_who_asked_but_not_what_every_line_has() -> None:
    facts = ["Reservation anna/res_1 HELD v1", "CalendarDay spot/2026-12-01 v1"]
    line = {"level": "INFO", "message": "committed", "service": "smart-parking", "facts": facts}
    text = said(json.dumps(line | {"correlation_id": "req-1", "reservation_ids": ["res_1"], "function_name": "x"}))
    first, *others = text.splitlines()
    assert first == 'committed correlation_id=req-1 reservation_ids=["res_1"]'
    assert [other.strip() for other in others] == facts


def test_a_line_that_is_no_json_is_shown_as_it_is() -> None:
    assert said("Task timed out after 15.00 seconds\n") == "Task timed out after 15.00 seconds"
    assert str(Line(SINCE, "SpotsApi", "x")) == f"2026-12-01 00:00:00.000  {'SpotsApi':28} x"
