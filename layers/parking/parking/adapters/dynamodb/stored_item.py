"""An item as DynamoDB answers it, read through its model's attributes."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from pynamodb.attributes import Attribute, AttributeContainer, ListAttribute, MapAttribute
from pynamodb.constants import MAP

_Read = Callable[[Any], Any]


class StoredItem:
    """Each value when it is asked for; None if it is absent.

    PynamoDB would fill a model with all that a kind may have, and the aggregate is made of that once more: for a
    reservation that takes several times as long (decision 54). The model stays the one description of what is stored.
    """

    __slots__ = ("_readers", "_values")

    def __init__(self, model: type[AttributeContainer], values: dict[str, Any]) -> None:
        self._readers = _readers_of(model)
        self._values = values

    def __getattr__(self, name: str) -> Any:
        """By the attribute's name in the model. Raises KeyError for a value of another type, or ValueError."""
        stored_name, stored_type, read = self._readers[name]
        value = self._values.get(stored_name)
        return None if value is None else read(value[stored_type])


@cache
def _readers_of(model: type[AttributeContainer]) -> dict[str, tuple[str, str, _Read]]:
    """By the name in the model: the name and the type in DynamoDB's JSON, and what makes a value of it."""
    return {name: (one.attr_name, one.attr_type, _reader_of(one)) for name, one in model.get_attributes().items()}


def _reader_of(attribute: Attribute[Any]) -> _Read:
    if isinstance(attribute, MapAttribute):
        return partial(StoredItem, type(attribute))
    if isinstance(attribute, ListAttribute) and (kind := attribute.element_type) and issubclass(kind, MapAttribute):
        return partial(_read_maps, kind)
    return attribute.deserialize


def _read_maps(kind: type[AttributeContainer], stored: list[dict[str, Any]]) -> list[StoredItem]:
    return [StoredItem(kind, element[MAP]) for element in stored]
