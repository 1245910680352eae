"""The door for operators, who invoke a function directly."""

import secrets
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from parking.bad_input import BadInput
from parking.domain.audit import Word
from parking.domain.enrolment import CODE_BYTES, written_code
from parking.forms import In


class WordIn(In):
    """What every operator says who changes something: who it is, and why."""

    operator: Annotated[str, Field(min_length=1, max_length=100)]
    reason: Annotated[str, Field(min_length=3, max_length=500)]

    def word(self, request_id: str, at: datetime) -> Word:
        """The word in the domain's words."""
        return Word(operator=self.operator, reason=self.reason, request_id=request_id, at=at)


def new_code() -> str:
    """A registration code that nobody had before."""
    return written_code(secrets.token_bytes(CODE_BYTES))


def operator_input[M: BaseModel](model: type[M], event: dict[str, Any]) -> M:
    """The event as the model has it. Raises BadInput, without what was sent."""
    try:
        return model.model_validate(event)
    except ValidationError as error:
        wrong = (f"{'.'.join(str(part) for part in e['loc']) or 'input'}: {e['msg']}" for e in error.errors())
        raise BadInput("; ".join(wrong)) from None
