"""Before AWS IoT gives a device its certificate, it asks here (the hook of fleet provisioning): do we wait for it?"""

from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from invocation import invoked_at
from pydantic import BaseModel, Field, ValidationError

from parking import wiring
from parking.domain.enrolment import NotAdmitted
from parking.domain.ids import BlockerId
from parking.services.certificates import admit

logger = Logger()


class ParametersIn(BaseModel):
    """What the device says of itself, by the names of the provisioning template's parameters."""

    blocker_id: Annotated[str, Field(alias="BlockerId", pattern=r"^[A-Za-z0-9_-]{1,80}$")]
    code: Annotated[str, Field(alias="RegistrationCode", max_length=100)]


class AskedIn(BaseModel):
    """The event, payload version 2020-04-01 (AWS IoT, "Pre-provisioning hooks")."""

    certificate_id: Annotated[str, Field(alias="certificateId")]
    parameters: ParametersIn


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Whether the device may have the certificate. Why not is for the log; a stranger learns nothing.

    With the certificate the device gets the secret by which it checks codes that drivers type.
    """
    try:
        asked = AskedIn.model_validate(event)
    except ValidationError:
        logger.warning("device not admitted", why="its parameters are not those of the template")
        return {"allowProvisioning": False}
    blocker_id = BlockerId(asked.parameters.blocker_id)
    logger.append_keys(blocker_id=blocker_id, certificate_id=asked.certificate_id)
    # Before the code is used up: a device that is admitted and gets no answer would need another one.
    offline_secret = wiring.entry_codes().secret_of(blocker_id)
    try:
        admit(wiring.store(), blocker_id, asked.parameters.code, asked.certificate_id, invoked_at())
    except NotAdmitted as refusal:
        logger.warning("device not admitted", why=str(refusal))
        return {"allowProvisioning": False}
    logger.info("device admitted")
    return {"allowProvisioning": True, "parameterOverrides": {"OfflineSecret": offline_secret}}
