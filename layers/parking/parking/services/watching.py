"""Looking after the blockers: who has fallen silent, and what operators are told of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from parking.domain.blocker import Blocker
from parking.domain.due import Step
from parking.domain.health import Health, Watch
from parking.domain.ids import BlockerId
from parking.domain.watching import looked_at
from parking.services.blockers import reconciled
from parking.services.ports import Key, Shadows, Store
from parking.services.sweeping import ONE_BY_ONE, Pace, Swept, is_due, sweep

COUNT_EVERY_MINUTES = 5


@dataclass(frozen=True, slots=True)
class Change:
    """What is new about a blocker's health."""

    blocker: Blocker
    before: Watch


def check_health(
    store: Store, shadows: Shadows, now: datetime, tell: Callable[[Change], None], pace: Pace = ONE_BY_ONE
) -> Swept:
    """Look at the blockers that are due: a command times out, silence is found, and each change is told.

    It is told before it is written down that it was: twice after a crash or a lost answer, but never not at all.
    """

    def look(key: Key) -> bool:
        blocker_id = BlockerId(key[0])
        _, unheard = reconciled(store, shadows, blocker_id, now)
        moved = _look(store, blocker_id, now, tell)
        if unheard:
            raise unheard
        return moved

    return sweep(store, Step.WATCH, now, look, pace)


def fleet(store: Store, now: datetime) -> Counter[Health] | None:
    """How many blockers are in which health, by what operators were told; every five minutes, else None."""
    return store.blockers_by_health() if now.minute % COUNT_EVERY_MINUTES == 0 else None


def _look(store: Store, blocker_id: BlockerId, now: datetime, tell: Callable[[Change], None]) -> bool:
    stored = store.get(Blocker, blocker_id)
    if stored is None or not is_due(stored.due, Step.WATCH, now):
        return False
    blocker = looked_at(stored, now)
    known, told = stored.watch, blocker.watch
    if (known.health, known.conditions) != (told.health, told.conditions):
        tell(Change(blocker, known))
    store.commit(blocker)
    return True
