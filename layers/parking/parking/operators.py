"""The door for operators, who invoke a function directly."""

from typing import Any

from pydantic import BaseModel, ValidationError


class BadInput(Exception):
    """What the operator sent cannot be taken; the text names each field and the reason."""


def operator_input[M: BaseModel](model: type[M], event: dict[str, Any]) -> M:
    """The event as the model has it. Raises BadInput, without what was sent."""
    try:
        return model.model_validate(event)
    except ValidationError as error:
        wrong = (f"{'.'.join(str(part) for part in e['loc']) or 'input'}: {e['msg']}" for e in error.errors())
        raise BadInput("; ".join(wrong)) from None
