"""The door of the schedules: the event's time, the function's time, what is logged, raised and measured."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from parking import wiring
from parking.bad_input import BadInput
from parking.domain.due import Step
from parking.schedule import SPARE_MS, SweepFailed, run
from parking.services.sweeping import Pace, Swept

EVENT = {"time": "2026-12-01T10:00:00Z", "source": "aws.events"}


class Context:
    """What Lambda says of itself: here only how much of the function's time is left."""

    def __init__(self, left_ms: int = 50_000) -> None:
        self.left_ms = left_ms

    def get_remaining_time_in_millis(self) -> int:
        """Of 50 seconds."""
        return self.left_ms


@pytest.fixture(autouse=True)
def namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the template says."""
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "SmartParking")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "smart-parking")


def ticked(sweep: Callable[[datetime, Pace], Swept], event: dict[str, Any] = EVENT, left_ms: int = 50_000) -> Any:
    """What the function answers."""
    context: Any = Context(left_ms)
    return run(event, context, sweep)


def measured(output: str) -> dict[str, Any]:
    """The one line of metrics."""
    [line] = [json.loads(line) for line in output.splitlines() if "_aws" in line]
    assert isinstance(line, dict)
    return line


def test_now_is_the_events_own_time_in_utc() -> None:
    seen = list[datetime]()

    def sweep(now: datetime, _: Pace) -> Swept:
        seen.append(now)
        return Swept(Step.FINISH, moved=3, left=2)

    assert ticked(sweep, {"time": "2026-12-01T12:00:00+02:00"}) == {"moved": 3, "left": 2}
    assert seen == [datetime(2026, 12, 1, 10, tzinfo=UTC)]


@pytest.mark.parametrize(
    "event",
    [{}, {"time": None}, {"time": "soon"}, {"time": 1764583200}, {"time": "2026-12-01T10:00:00"}],
    ids=["none", "null", "no time", "a number", "no time zone"],
)
def test_an_event_without_a_time_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="time"):
        ticked(lambda *_: Swept(Step.FINISH), event)


def test_a_tick_with_nothing_to_do_still_says_that_it_is_not_late(capsys: pytest.CaptureFixture[str]) -> None:
    ticked(lambda *_: Swept(Step.GUARD))
    line = measured(capsys.readouterr().out)
    assert (line["DueLag"], line["DueLeft"]) == ([0.0], [0.0])


def test_the_lag_is_measured_for_each_step_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    ticked(lambda *_: Swept(Step.SETTLE, lag=timedelta(minutes=3, milliseconds=500), left=7))
    line = measured(capsys.readouterr().out)
    [metrics] = line["_aws"]["CloudWatchMetrics"]
    assert (line["DueLag"], line["DueLeft"]) == ([180.5], [7.0])
    assert (metrics["Namespace"], metrics["Dimensions"]) == ("SmartParking", [["step", "service"]])
    assert (line["step"], line["service"]) == ("SETTLE", "smart-parking")


def test_a_run_with_failures_is_measured_and_raises(capsys: pytest.CaptureFixture[str]) -> None:
    failed = Swept(Step.FINISH, 4, {("anna", "res_1"): LookupError("gone")}, timedelta(minutes=1))
    with pytest.raises(SweepFailed, match="1 items failed, 4 moved"):
        ticked(lambda *_: failed)
    assert measured(capsys.readouterr().out)["DueLag"] == [60.0]


@pytest.mark.parametrize(("left_ms", "goes_on"), [(SPARE_MS + 1, True), (SPARE_MS, False), (0, False)])
def test_no_item_is_begun_near_the_end_of_the_functions_time(left_ms: int, goes_on: bool) -> None:
    paces = list[Pace]()

    def sweep(_: datetime, pace: Pace) -> Swept:
        paces.append(pace)
        return Swept(Step.FINISH)

    ticked(sweep, left_ms=left_ms)
    assert paces[0].keep_going() is goes_on
    assert paces[0].each is wiring.in_parallel()
