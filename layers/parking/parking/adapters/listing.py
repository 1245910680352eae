"""What both stores agree on about a driver's lists: the order, the filters and the cursor."""

import base64
import binascii
import json
import re
from typing import Any

from parking.adapters.instants import instant_of, instant_text
from parking.domain.ids import UserId
from parking.domain.notification import Notification
from parking.domain.payment import Payment
from parking.domain.reservation import Reservation
from parking.services.ports import Aggregate, InvalidCursor

LISTED_BY_CREATED = (Reservation, Payment)
"""Their ids do not sort by time, so they are listed by created_at; the ids of the other kinds begin with the time."""

_PLAIN = re.compile(r"[\x21-\x7e]{1,200}")

Position = tuple[str, ...]
"""Where an item stands in its driver's list: (id,) or, for the kinds that are listed by it, (created_at, id)."""


def position_of(item: Aggregate) -> Position:
    """Where the item stands in its list."""
    identifier = item.key[-1]
    return (instant_text(item.created_at), identifier) if isinstance(item, LISTED_BY_CREATED) else (identifier,)


def is_wanted(item: Aggregate, status: str | None, unread: bool) -> bool:
    """Whether the filters of a list let the item through."""
    if isinstance(item, Reservation) and status is not None:
        return item.status.value == status
    return not (isinstance(item, Notification) and unread and item.read_at)


def encode_cursor(kind: type[Any], user_id: UserId, position: Position) -> str:
    """An opaque text that says after which item the next page begins."""
    parts = json.dumps([kind.__name__, user_id, *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(parts.encode()).decode().rstrip("=")


def decode_cursor(kind: type[Any], user_id: UserId, cursor: str) -> Position:
    """The position that `encode_cursor` wrote. Raises InvalidCursor if it did not, or for another list."""
    try:
        parts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        named, owner, *position = parts
        if kind in LISTED_BY_CREATED:
            instant_of(position[0])
    except (binascii.Error, ValueError, TypeError, IndexError, OverflowError, RecursionError) as error:
        raise InvalidCursor("not a cursor of ours") from error
    length = 2 if kind in LISTED_BY_CREATED else 1
    plain = all(isinstance(part, str) and _PLAIN.fullmatch(part) for part in position)
    if named != kind.__name__ or owner != user_id or len(position) != length or not plain:
        raise InvalidCursor("not a cursor of this list")
    return tuple(position)
