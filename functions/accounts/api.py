"""Leaving, and taking along what we know."""

from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from accounts.schemas import ClosedOut, ExportOut, ProfileOut
from notifications.schemas import NotificationOut
from parking import settings, wiring
from parking.domain.ledger import Transaction
from parking.domain.notification import Notification
from parking.domain.payment import Payment
from parking.domain.reservation import Reservation
from parking.http import Cursor, Door, answer, documented, entry
from parking.services import accounts, notifications
from parking.services.ports import InvalidCursor, Page
from payments.schemas import PaymentOut, TransactionOut
from reservations.schemas import ReservationOut

PART = 100  # some 200 KB: far below the 6 MB that a function may answer
SECTIONS = {
    "reservations": Reservation,
    "payments": Payment,
    "transactions": Transaction,
    "notifications": Notification,
}
"""One part of the export is of one of these lists, and they follow each other."""

door = Door()
app = door.app
handler = entry(door)


@app.delete(
    "/account",
    summary="Close my account",
    tags=["account"],
    responses=documented(HTTPStatus.ACCEPTED, ClosedOut, HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT),
)
def close_account() -> Response[Any]:
    """For good. 403 fresh_login_required: log in with the password again; a refreshed token is as old as its log-in.

    409 account_not_settled says what has to end first: stays, payments on their way, a balance, a debt.

    The log-in, phones, cards, favourites, notices and plates are erased within minutes; payments and stays are kept
    without them, as long as the law on bookkeeping wants.
    """
    closed = accounts.close_account(wiring.store(), door.user_id, settings.currency(), door.logged_in_at, door.now)
    return answer(ClosedOut.of(closed), HTTPStatus.ACCEPTED)


@app.get(
    "/account/export",
    summary="Everything that you know of me",
    tags=["account"],
    responses=documented(HTTPStatus.OK, ExportOut),
)
def export_account(cursor: Cursor = None) -> ExportOut:
    """In parts, newest first within each list. What the barrier did for a stay is in its receipt."""
    store, user_id = wiring.store(), door.user_id
    name, _, place = (next(iter(SECTIONS)) if cursor is None else cursor).partition(":")
    if name not in SECTIONS:
        raise InvalidCursor("not a cursor of an export")
    page: Page[Any] = store.page(SECTIONS[name], user_id, limit=PART, cursor=place or None)
    language = notifications.language_of(store, user_id, ())
    shown: dict[str, list[Any]] = {name: [] for name in SECTIONS}
    for item in page.items:
        match item:
            case Reservation():
                shown[name].append(ReservationOut.of(item, None, door.now))
            case Payment():
                shown[name].append(PaymentOut.of(item))
            case Transaction():
                shown[name].append(TransactionOut.of(item))
            case Notification():
                shown[name].append(NotificationOut.of(item, language))
    profile = None
    if cursor is None:
        profile = ProfileOut.of(accounts.profile_of(store, user_id, settings.currency()), door.now)
    return ExportOut(profile=profile, **shown, next_cursor=_next_cursor(name, page.cursor))


def _next_cursor(name: str, place: str | None) -> str | None:
    if place:
        return f"{name}:{place}"
    names = [*SECTIONS, None]
    return names[names.index(name) + 1]
