"""What one commit writes and what it only checks, the same for both stores."""

from collections.abc import Sequence
from dataclasses import dataclass

from parking.adapters.limits import check_number_of_items
from parking.services.ports import Aggregate


@dataclass(frozen=True, slots=True)
class CommitPlan:
    """Each item stands in it once."""

    saves: tuple[Aggregate, ...]
    checks: tuple[Aggregate, ...]


def plan_commit(saves: Sequence[Aggregate], unchanged: Sequence[Aggregate]) -> CommitPlan:
    """What is saved is checked anyway, so it is left out of the checks.

    Raises ValueError if an item is saved twice, or if it is more than one transaction can hold.
    """
    saved = {(type(item), item.key): item for item in saves}
    if len(saved) != len(saves):
        raise ValueError("a commit saves an item twice")
    checked = {(type(item), item.key): item for item in unchanged if (type(item), item.key) not in saved}
    check_number_of_items(len(saved) + len(checked))
    return CommitPlan(tuple(saved.values()), tuple(checked.values()))
