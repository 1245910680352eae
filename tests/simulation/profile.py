"""What kind of world a seed makes. Each seed switches some kinds of trouble off, so that the others get further."""

from dataclasses import dataclass
from datetime import UTC, datetime

from tests.simulation.draws import Draws
from tests.simulation.faults import Fault

BEGINNINGS = (
    datetime(2026, 12, 1, 9, 0, tzinfo=UTC),
    datetime(2026, 12, 1, 23, 10, tzinfo=UTC),  # stays cross the UTC day
    datetime(2027, 3, 28, 0, 20, tzinfo=UTC),  # the clock at the spot changes within the hour
)
FAULT_RATES_PER_MILLE = (0, 60, 150, 350)
THEMES = ("mixed", "contention", "money", "machines")


@dataclass(frozen=True, slots=True)
class Profile:
    """The choices that hold for a whole run."""

    begins_at: datetime
    spots: int
    drivers: int
    theme: str
    fault_rate_per_mille: int
    faults: frozenset[Fault]
    sloppy: bool
    """Whether messages come late, doubled, reordered, or are poison."""
    idle_raised: bool
    turnover_minutes: int
    step_minutes: int
    minimum_minutes: int
    long_stays: bool
    """Whether drivers like to stay for the whole week that is possible."""


def draw_profile(draws: Draws, allowed: frozenset[Fault]) -> Profile:
    """The kind of world, drawn."""
    rate = draws.pick(FAULT_RATES_PER_MILLE)
    swarm = draws.chance(500)
    step_minutes, minimum_minutes = draws.pick(((15, 15), (30, 30), (15, 5), (60, 60)))
    return Profile(
        begins_at=draws.pick(BEGINNINGS),
        spots=draws.pick((1, 1, 2, 3)),
        drivers=draws.pick((2, 3)),
        theme=draws.pick(THEMES),
        fault_rate_per_mille=rate,
        # Fault's own order, not a set's: the same on every machine.
        faults=frozenset(fault for fault in Fault if fault in allowed and not (swarm and draws.chance(500))),
        sloppy=draws.chance(600),
        idle_raised=draws.chance(150),
        turnover_minutes=draws.pick((10, 10, 5, 0)),
        step_minutes=step_minutes,
        minimum_minutes=minimum_minutes,
        long_stays=draws.chance(200),
    )
