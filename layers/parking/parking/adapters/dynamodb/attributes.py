"""How single values are stored. An optional value that is None is absent from its item."""

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from pynamodb.attributes import Attribute, MapAttribute
from pynamodb.constants import NUMBER, STRING
from pynamodb.models import Model

from parking.adapters.instants import instant_of, instant_text

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class IntegerAttribute(Attribute[int]):
    """A whole number that never passes through a float, as PynamoDB's NumberAttribute does: money is counted in it."""

    attr_type = NUMBER

    def serialize(self, value: int) -> str:
        """DynamoDB takes and gives numbers as text."""
        return str(int(value))

    def deserialize(self, value: str) -> int:
        """Raises ValueError for a fraction."""
        return int(value)


class InstantAttribute(Attribute[datetime]):
    """An aware UTC instant as text of a fixed width, so that range keys sort by time."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        """Raises ValueError for a naive time."""
        return instant_text(value)

    def deserialize(self, value: str) -> datetime:
        """An aware UTC datetime."""
        return instant_of(value)


class MomentAttribute(Attribute[datetime]):
    """An aware UTC instant as microseconds since 1970: a third of its text's size. Range keys are text, to sort."""

    attr_type = NUMBER

    def serialize(self, value: datetime) -> str:
        """Raises ValueError for a naive time."""
        if value.tzinfo is None:
            raise ValueError(f"naive time: {value}")
        return str((value - _EPOCH) // _MICROSECOND)

    def deserialize(self, value: str) -> datetime:
        """An aware UTC datetime."""
        return _EPOCH + int(value) * _MICROSECOND


class DayAttribute(Attribute[date]):
    """A calendar day: 2026-01-31."""

    attr_type = STRING

    def serialize(self, value: date) -> str:
        """ISO 8601."""
        return value.isoformat()

    def deserialize(self, value: str) -> date:
        """Raises ValueError for anything else."""
        return date.fromisoformat(value)


class EnumAttribute[E: StrEnum](Attribute[E]):
    """A member of an enumeration by its value."""

    attr_type = STRING

    def __init__(self, members: type[E], **settings: Any) -> None:
        super().__init__(**settings)
        self._members = members

    def serialize(self, value: E) -> str:
        """The member's value."""
        return value.value

    def deserialize(self, value: str) -> E:
        """Raises ValueError for a value that the enumeration does not have."""
        return self._members(value)


class TypedMap(MapAttribute[str, Any]):
    """A nested map with declared fields."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)  # type: ignore[no-untyped-call]  # PynamoDB left this one untyped


class VersionedModel(Model):
    """Every item carries the version that guards its next write."""

    version = IntegerAttribute()
