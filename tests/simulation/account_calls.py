"""What a driver asks of the API about the account as a whole, and the answers that the plain rules expect."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from accounts.schemas import ClosedOut

from parking.domain.ids import CreateRequest, UserId
from parking.domain.ledger import Wallet
from parking.domain.payment import Payment
from parking.services import accounts
from tests.simulation import doors, reference
from tests.simulation.api_calls import OK, ApiCall

if TYPE_CHECKING:
    from tests.simulation.world import World


LOGIN_LASTS = timedelta(minutes=10)
"""How long after the password an account can be closed."""


def close_account(user_id: UserId, logged_in_at: datetime) -> ApiCall:
    """DELETE /account, by a token whose log-in was then."""

    def run(ports: doors.Ports, _: CreateRequest, now: datetime) -> ClosedOut:
        return ClosedOut.of(accounts.close_account(ports.store, user_id, "EUR", logged_in_at, now))

    def expect(world: "World", now: datetime) -> str:
        wallet = world.store.get(Wallet, user_id)
        if wallet and wallet.closed_at:
            return OK
        if now > logged_in_at + LOGIN_LASTS:
            return "fresh_login_required"
        left = wallet is not None and (wallet.balance_minor or wallet.debts)
        return "account_not_settled" if left or something_open(world, user_id) else OK

    return ApiCall("close account", user_id, "", (logged_in_at,), run, expect)


def something_open(world: "World", user_id: UserId) -> bool:
    """Whether the driver has a stay that has not ended, or a payment that Stripe and we have yet to settle."""
    stays = (one for one in world.store.reservations if one.user_id == user_id)
    payments = (one for one in world.store.all_of(Payment) if one.user_id == user_id)
    return any(one.status not in reference.FINAL for one in stays) or any(one.due for one in payments)
