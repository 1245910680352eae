"""Operators move a blocker by hand: `sam remote invoke BlockerCommand`. Who, what and why are kept."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import AwareDatetime, Field

from parking import wiring
from parking.domain.blocker import Position
from parking.domain.ids import BlockerId
from parking.http import In
from parking.operators import operator_input
from parking.services import blockers

logger = Logger()


class CommandIn(In):
    """What to do with which blocker, and on whose word. RAISE stays under the interlock: only onto a vacant spot."""

    blocker_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")]
    position: Literal[Position.RAISED, Position.LOWERED]
    operator: Annotated[str, Field(min_length=1, max_length=100)]
    reason: Annotated[str, Field(min_length=3, max_length=500)]
    at: AwareDatetime | None = None


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Command the blocker; the operator's word stands above the reservations for 15 minutes."""
    wish = operator_input(CommandIn, event)
    blocker = blockers.command(
        wiring.store(),
        wiring.shadows(),
        BlockerId(wish.blocker_id),
        position=wish.position,
        operator=wish.operator,
        reason=wish.reason,
        now=(wish.at or datetime.now(UTC)).astimezone(UTC),
    )
    audit = wish.model_dump(mode="json", exclude={"at"})
    logger.info("operator's command", **audit, command=str(blocker.command))
    return {
        **audit,
        "command_id": blocker.command.command_id if blocker.command else None,
        "command_status": blocker.command.status if blocker.command else None,
        "reported_position": blocker.position,
        "connectivity": blocker.connectivity,
    }
