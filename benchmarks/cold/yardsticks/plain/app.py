"""Yardstick (b): one GetItem, with the libraries that an API function of ours has, written straight down."""

import os
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from pydantic import BaseModel
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

logger = Logger()
app = APIGatewayHttpResolver(enable_validation=True)


class SpotModel(Model):
    """The item."""

    class Meta:
        """Where it lies."""

        table_name = os.environ["SPOTS_TABLE"]

    spot_id = UnicodeAttribute(hash_key=True)
    name = UnicodeAttribute()


class SpotOut(BaseModel):
    """The answer."""

    spot_id: str
    name: str


@app.get("/spots/<spot_id>")
def get_spot(spot_id: str) -> SpotOut:
    """404 where there is no such spot, as our own function has it."""
    try:
        spot = SpotModel.get(spot_id, consistent_read=True)
    except SpotModel.DoesNotExist:
        raise NotFoundError("no such spot") from None
    return SpotOut(spot_id=spot.spot_id, name=spot.name)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Resolve."""
    return app.resolve(event, context)
