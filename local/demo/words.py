"""How the demo says things: money, times, ids and JSON, short enough for one glance."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

_SHOWN_OF_ID = 6
_LONG_ID = re.compile(rf"\b((?:res|ext|pay|cmd)_\w{{{_SHOWN_OF_ID}}})\w+")


def money(amount_minor: int) -> str:
    """3.50 EUR; the demo city's currency has two decimals."""
    return f"{Decimal(amount_minor).scaleb(-2)} EUR"


def utc(instant: datetime) -> str:
    """As the API takes it: 2026-01-31T09:30:00Z."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def clock(instant: str, time_zone: str, *, seconds: bool = False) -> str:
    """The time of day of one of the API's times, on a clock in that zone."""
    local = datetime.fromisoformat(instant).astimezone(ZoneInfo(time_zone))
    return local.strftime("%H:%M:%S" if seconds else "%H:%M")


def short(text: str) -> str:
    """The text with the long tails of ids cut off: res_3fk2qa… instead of twenty-four characters more."""
    return _LONG_ID.sub(r"\1…", text)


def compact(body: Mapping[str, Any] | None) -> str:
    """A JSON body on one line, ids shortened; nothing for no body."""
    return "" if body is None else short(json.dumps(body, ensure_ascii=False))


def at(document: Any, path: str) -> Any:
    """The value at a dotted path such as price.amount. Raises KeyError where there is none."""
    for name in path.split("."):
        if not isinstance(document, Mapping) or name not in document:
            raise KeyError(path)
        document = document[name]
    return document
