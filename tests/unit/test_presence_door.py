"""What a broken connection leaves behind: the device's last will, which is evidence and nothing more."""

import pytest

from blockers import on_presence
from tests.lambda_context import CONTEXT


@pytest.mark.parametrize(
    "said", [{"blocker_id": "blocker-1", "session_id": "s-1"}, {}, {"blocker_id": 7, "session_id": None}]
)
def test_a_last_will_is_noted_whatever_it_says(said: dict[str, object]) -> None:
    event = {**said, "topic": "parking/blockers/blocker-1/will", "received_at_ms": 1_774_000_000_000}
    assert on_presence.handler(event, CONTEXT) == {"news": False}
