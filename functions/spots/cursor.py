"""The cursor of a search as text: the rank behind which the next page begins, good for the same search only."""

import base64
import binascii
import hashlib
import json
import math

from parking.domain.area import Area, Rank
from parking.domain.ids import SpotId
from parking.domain.time import Interval
from parking.services.ports import InvalidCursor
from parking.services.search import Filters


def fingerprint_of(area: Area, window: Interval | None, filters: Filters) -> str:
    """What makes it the same search."""
    return hashlib.sha256(repr((area, window, filters)).encode()).hexdigest()[:16]


def encoded(rank: Rank, fingerprint: str) -> str:
    """The text that the app gives back."""
    parts = json.dumps([fingerprint, rank.distance_m, rank.spot_id], separators=(",", ":"))
    return base64.urlsafe_b64encode(parts.encode()).decode().rstrip("=")


def decoded(cursor: str, fingerprint: str) -> Rank:
    """The rank that `encoded` wrote. Raises InvalidCursor if it did not, or for another search."""
    try:
        parts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        search, distance_m, spot_id = parts
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise InvalidCursor("not a cursor of ours") from error
    known = isinstance(distance_m, float) and math.isfinite(distance_m) and isinstance(spot_id, str)
    if search != fingerprint or not known:
        raise InvalidCursor("not a cursor of this search")
    return Rank(distance_m, SpotId(spot_id))
