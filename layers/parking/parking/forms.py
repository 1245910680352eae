"""What a person or an app sends us: as strict at the HTTP door as at the operators' door, which loads no HTTP."""

from pydantic import BaseModel, ConfigDict


class In(BaseModel):
    """A request body: what we do not know is refused, so that a typing error is not silently ignored.

    What checks it is built when one first comes: INIT would build those of all routes.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True)
