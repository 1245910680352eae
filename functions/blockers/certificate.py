"""Operators renew, replace or cut off a blocker's certificate: `sam remote invoke BlockerCertificate`."""

from typing import Annotated, Any, Literal

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from invocation import invoked_at
from pydantic import Field

from parking import wiring
from parking.domain.audit import Action
from parking.domain.ids import BlockerId
from parking.operators import WordIn, new_code, operator_input
from parking.services import certificates

logger = Logger()


class CertificateIn(WordIn):
    """What to do with which blocker's certificate. `keep_in_service` is for a spot that needs no barrier meanwhile."""

    blocker_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")]
    action: Literal[Action.NEW_CODE, Action.ROTATE, Action.COMPLETE, Action.CUT_OFF]
    keep_in_service: bool = False


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """What the operator needs to go on; a key, a secret or a code is shown once, and never logged."""
    wish = operator_input(CertificateIn, event)
    done = _done(wish, context.aws_request_id)
    asked = wish.model_dump(mode="json")
    logger.info("operator's word on a certificate", **asked)
    return asked | done


def _done(wish: CertificateIn, request_id: str) -> dict[str, Any]:
    store, blocker_id, word = wiring.store(), BlockerId(wish.blocker_id), wish.word(request_id, invoked_at())
    match wish.action:
        case Action.NEW_CODE:
            code = new_code()
            until = certificates.give_code(store, blocker_id, code, word)
            return {"registration_code": code, "valid_until": until.isoformat(timespec="seconds")}
        case Action.ROTATE:
            made = certificates.rotate(store, wiring.things(), blocker_id, word)
            return {
                "certificate_id": made.certificate_id,
                "certificate_pem": made.certificate_pem,
                "private_key": made.private_key,
                "offline_secret": wiring.entry_codes().secret_of(blocker_id),
            }
        case Action.COMPLETE:
            return {"certificate_id": certificates.complete(store, wiring.things(), blocker_id, word)}
        case Action.CUT_OFF:
            ended = certificates.cut_off(
                store, wiring.things(), blocker_id, word, out_of_service=not wish.keep_in_service
            )
            return {"connection_ended": ended}
