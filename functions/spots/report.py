"""What is going on at a spot? `sam remote invoke SpotReport`. It reads, and changes nothing."""

from dataclasses import asdict
from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from invocation import invoked_at
from pydantic import Field
from pydantic_core import to_jsonable_python

from parking import wiring
from parking.domain.ids import SpotId
from parking.forms import In
from parking.operators import operator_input
from parking.services import reports

logger = Logger()


class ReportIn(In):
    """Which spot, and how many days ahead its calendar is shown."""

    spot_id: Annotated[str, Field(min_length=1, max_length=80)]
    days: Annotated[int, Field(ge=1, le=30)] = 7


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """The spot, its calendar, its blocker with the last commands, and what operators did.

    Of a driver it shows the user_id, by which support finds the rest where it may: no name, plate or contact.
    """
    wish = operator_input(ReportIn, event)
    now = invoked_at()
    report = reports.report(wiring.store(), SpotId(wish.spot_id), wish.days, now)
    shown: dict[str, Any] = to_jsonable_python(asdict(report))
    return {"at": to_jsonable_python(now), **shown}
