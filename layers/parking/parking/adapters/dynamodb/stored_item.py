"""An item as DynamoDB answers it, read through its model's attributes."""

from typing import Any

from pynamodb.attributes import Attribute, AttributeContainer, ListAttribute, MapAttribute
from pynamodb.constants import MAP


class StoredItem:
    """Each value when it is asked for; None if it is absent.

    PynamoDB would fill a model with all that a kind may have, and the aggregate is made of that once more: for a
    reservation that takes three times as long (decision 54). The model stays the one description of what is stored.
    """

    __slots__ = ("_attributes", "_values")

    def __init__(self, model: type[AttributeContainer], values: dict[str, Any]) -> None:
        self._attributes = model.get_attributes()
        self._values = values

    def __getattr__(self, name: str) -> Any:
        """By the attribute's name in the model. Raises AttributeDeserializationError, KeyError or ValueError."""
        attribute = self._attributes[name]
        value = self._values.get(attribute.attr_name)
        return None if value is None else _read(attribute, attribute.get_value(value))


def _read(attribute: Attribute[Any], stored: Any) -> Any:
    if isinstance(attribute, MapAttribute):
        return StoredItem(type(attribute), stored)
    if isinstance(attribute, ListAttribute) and (kind := attribute.element_type) and issubclass(kind, MapAttribute):
        return [StoredItem(kind, element[MAP]) for element in stored]
    return attribute.deserialize(stored)
