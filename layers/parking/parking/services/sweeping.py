"""How a schedule goes through what is due: batch by batch, some items at once, and only as long as there is time.

What is not reached, or fails, is still due at the next tick: nothing is remembered between two runs.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from parking.domain.due import Due, Step
from parking.services.commit import until_committed
from parking.services.ports import Busy, DueItem, Each, Key, Store


def _for_ever() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Pace:
    """How a run goes: `each` item by itself or some at once, as long as `keep_going` lets it begin another one.

    No code here reads a clock, so the door that knows the end of its own time says when to stop.
    """

    each: Each = map
    keep_going: Callable[[], bool] = _for_ever


ONE_BY_ONE = Pace()


@dataclass(slots=True)
class Swept:
    """What a run did: how many items moved, and which failed and why."""

    step: Step
    moved: int = 0
    failures: dict[Key, Exception] = field(default_factory=dict)
    lag: timedelta = timedelta()
    """For how long the longest due item had been due when the run began."""
    left: int = 0
    """What was read and not reached in time; more may wait behind it."""


def sweep(store: Store, step: Step, now: datetime, handle: Callable[[Key], bool], pace: Pace) -> Swept:
    """Give everything that is due to `handle`, which says whether the item moved. A lost race is tried again.

    One bad item must not keep the others waiting: it is among the failures, which the door logs and raises.
    """
    swept, begin = Swept(step), partial(_outcome, handle, pace)
    for batch in store.due(step, now):
        swept.lag = max(swept.lag, now - batch[0].at)
        outcomes = dict(zip(batch, pace.each(begin, batch), strict=True))
        # Neighbours at one spot may have taken every race from each other: those go once more, by themselves.
        outcomes |= {item: begin(item) for item, outcome in outcomes.items() if isinstance(outcome, Busy)}
        for item, outcome in outcomes.items():
            if outcome is None:
                swept.left += 1
            elif isinstance(outcome, Exception):
                swept.failures[item.key] = outcome
            else:
                swept.moved += outcome
        if swept.left:
            break
    return swept


def is_due(due: Due | None, step: Step, now: datetime) -> bool:
    """Whether an item's next step is this one, and its time has come: the index may be behind the item."""
    return due is not None and due.step is step and due.at <= now


def _outcome(handle: Callable[[Key], bool], pace: Pace, item: DueItem) -> bool | Exception | None:
    """Whether the item moved, or why not; None if there was no time left to begin."""
    if not pace.keep_going():
        return None
    try:
        return until_committed(partial(handle, item.key))
    except Exception as failure:
        return failure
