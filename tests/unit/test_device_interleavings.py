"""Every order of {raise, lower, car in, car out, offline, reboot, late delta, duplicate} up to length 7: 8^7 sequences.

With a disk that takes the first command and no other, which has more to tell apart, up to length 5.

The tree of prefixes is walked level by level. Two prefixes that lead to the same street (see `Street.key`) are walked
on once; `ways` counts how many there are, so that the sum proves that no sequence was left out.
"""

from datetime import timedelta

import pytest

from parking_blocker.machine import Limits
from tests.unit.device_street import HAPPENINGS, Street

LENGTH = 7
LENGTH_OF_A_DISK_THAT_FAILS = 5
ALWAYS = 1_000_000
HEARTBEATS_NEVER = 86_400.0


@pytest.mark.parametrize(
    ("vacant_seconds", "warning_seconds", "travel_seconds", "writes", "length"),
    [
        pytest.param(1.5, 1.5, 2.5, ALWAYS, LENGTH, id="patient"),
        pytest.param(0.0, 0.0, 1.5, ALWAYS, LENGTH, id="hasty"),
        pytest.param(1.5, 0.0, 1.5, 0, LENGTH, id="without its journal"),
        pytest.param(1.5, 0.0, 1.5, 1, LENGTH_OF_A_DISK_THAT_FAILS, id="with a disk that fails"),
    ],
)
def test_no_order_of_events_lifts_a_car_or_obeys_twice_or_obeys_a_stale_command_or_leaves_one_open(
    vacant_seconds: float, warning_seconds: float, travel_seconds: float, writes: int, length: int
) -> None:
    limits = Limits(HEARTBEATS_NEVER, 30, vacant_seconds, warning_seconds)
    street = Street(limits, timedelta(seconds=travel_seconds), writes=writes)
    level = {street.key: (street, 1)}
    for _ in range(length):
        below: dict[object, tuple[Street, int]] = {}
        for street, ways in level.values():
            for what in HAPPENINGS:
                later = street.after(what)
                known = below.get(later.key)
                below[later.key] = (known[0] if known else later, ways + (known[1] if known else 0))
        level = below
        for street, _ in level.values():
            street.check_quiet_end()
    assert sum(ways for _, ways in level.values()) == len(HAPPENINGS) ** length
