"""Operators steer a blocker and its spot by hand: `sam remote invoke BlockerCommand`. Who, what and why are kept."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from invocation import invoked_at
from pydantic import Field

from parking import wiring
from parking.domain.audit import Action
from parking.domain.ids import BlockerId
from parking.operators import WordIn, operator_input
from parking.services import operating

logger = Logger()


class CommandIn(WordIn):
    """What to do with which blocker, and on whose word. RAISE stays under the interlock: only onto a vacant spot."""

    blocker_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")]
    action: Literal[Action.LOWER, Action.RAISE, Action.RESYNC, Action.OUT_OF_SERVICE, Action.IN_SERVICE]


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Do what the operator asks; a position stands above the reservations for 15 minutes."""
    wish = operator_input(CommandIn, event)
    word = wish.word(context.aws_request_id, invoked_at())
    blocker = operating.obey(wiring.store(), wiring.shadows(), BlockerId(wish.blocker_id), wish.action, word)
    asked = wish.model_dump(mode="json")
    logger.info("operator's command", **asked, command=str(blocker.command))
    return {
        **asked,
        "command_id": blocker.command.command_id if blocker.command else None,
        "command_status": blocker.command.status if blocker.command else None,
        "reported_position": blocker.position,
        "connectivity": blocker.connectivity,
    }
