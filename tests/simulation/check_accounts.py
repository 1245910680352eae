"""A closed account: no money is lost with it, it never opens again, and in the end nobody is behind it."""

from datetime import timedelta
from typing import TYPE_CHECKING

from parking.domain.customer import Customer
from parking.domain.ledger import Wallet
from parking.domain.notification import PushDevice
from parking.domain.preferences import NotificationPreferences
from tests.simulation.account_calls import something_open
from tests.simulation.violation import Violation

if TYPE_CHECKING:
    from tests.simulation.invariants import Commit
    from tests.simulation.world import World

TWO_TICKS = timedelta(minutes=2)


def check(commit: "Commit", before: Wallet | None, after: Wallet) -> None:
    """Raises Violation."""
    closed_at, erased_at = (before.closed_at, before.erased_at) if before else (None, None)
    if closed_at and after.closed_at != closed_at:
        raise Violation(7, f"the account of {after.user_id} was closed, and is open again")
    closes, erases = after.closed_at and not closed_at, after.erased_at and not erased_at
    if (closes or erases) and (after.balance_minor or after.debts):
        raise Violation(3, f"the account of {after.user_id} ends with {after.balance_minor} and {after.debts}")
    if closes:
        # What begins in the same instant is not seen; it ends before anything is erased.
        if not commit.world.faults.struck_here and something_open(commit.world, after.user_id):
            raise Violation(3, f"the account of {after.user_id} is closed over its head")
        commit.covered("account closed")
    if erases:
        if after.user_id not in commit.world.logins.deleted:
            raise Violation(12, f"the account of {after.user_id} is erased, and can be logged in to")
        commit.covered("account erased")
    if erased_at and after.due is None and before and before.due:
        commit.covered("account erased once more")


def check_at_rest(world: "World") -> None:
    """What was closed is erased as soon as nothing of it is open any more. Raises Violation."""
    for wallet in world.store.all_of(Wallet):
        if wallet.closed_at is None:
            continue
        if wallet.due and wallet.due.at < world.now - TWO_TICKS:
            raise Violation(10, f"the account of {wallet.user_id} is to be erased since {wallet.due.at}")
        if wallet.due is None:
            _check_nobody_is_behind(world, wallet)


def _check_nobody_is_behind(world: "World", wallet: Wallet) -> None:
    user_id = wallet.user_id
    kept = [world.store.get(kind, user_id) for kind in (Customer, NotificationPreferences)]
    phones = [one for one in world.store.all_of(PushDevice) if one.user_id == user_id]
    if any(kept) or phones:
        raise Violation(12, f"{user_id} has left, and we keep {kept} and {phones}")
