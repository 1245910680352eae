"""`python -m parking_blocker.enrol …`: a blocker from the factory fetches its own certificate, once.

It connects with the claim certificate that every machine of a batch shares, asks AWS IoT for a certificate of its own
and registers with its id and the code that an operator gave out for it (AWS IoT, "Fleet provisioning"). With the
certificate comes the secret by which it checks codes that drivers type. The operator's code is read from standard
input, where no list of processes shows it. Nothing is written unless the whole of it succeeded, and what is there
already is never overwritten: the next start finds key, secret and certificate, or is told what is missing.
"""

import argparse
import os
import sys
import uuid
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from pathlib import Path

from awscrt import mqtt5
from awscrt.mqtt_request_response import ClientOptions
from awsiot import V2ServiceException, iotidentity, mqtt5_client_builder

from parking_blocker.connection import Endpoint

ANSWER_SECONDS_MAX = 30


class NotEnrolled(Exception):
    """There is no certificate; the message says why."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the factory has put in: the shared certificate and the template that it may ask."""

    certificate: Path
    key: Path
    template: str


@dataclass(frozen=True, slots=True)
class Files:
    """Where what the blocker gets is written."""

    certificate: Path
    key: Path
    offline_secret: Path


def enrol(endpoint: Endpoint, claim: Claim, blocker_id: str, code: str, files: Files) -> None:
    """Fetch the blocker's certificate, key and offline secret into these files. Raises NotEnrolled."""
    for file in (files.certificate, files.key, files.offline_secret):
        if file.exists():
            raise NotEnrolled(f"{file} is there already")
    outcome: Future[None] = Future()
    stopped: Future[None] = Future()
    client = mqtt5_client_builder.mtls_from_path(
        cert_filepath=str(claim.certificate),
        pri_key_filepath=str(claim.key),
        ca_filepath=str(endpoint.ca),
        endpoint=endpoint.host,
        port=endpoint.port,
        client_id=f"claim-{uuid.uuid4()}",  # no blocker's id: that would end the blocker's own session
        session_behavior=mqtt5.ClientSessionBehaviorType.CLEAN,
        on_lifecycle_connection_success=lambda _: _settle(outcome, None),
        on_lifecycle_connection_failure=lambda data: _settle(outcome, NotEnrolled(f"not connected: {data.exception}")),
        on_lifecycle_stopped=lambda _: stopped.set_result(None),
    )
    client.start()
    try:
        outcome.result(ANSWER_SECONDS_MAX)
        made, offline_secret = _registered(client, claim.template, blocker_id, code)
    except FutureTimeoutError:
        raise NotEnrolled(f"no answer for {ANSWER_SECONDS_MAX} s") from None
    except V2ServiceException as refusal:
        raise NotEnrolled(f"refused: {getattr(refusal.modeled_error, 'error_code', None) or refusal}") from None
    finally:
        client.stop()
        stopped.result(ANSWER_SECONDS_MAX)
    # The certificate last: without the others it would pass for complete.
    _write(files.key, str(made.private_key))
    _write(files.offline_secret, offline_secret)
    _write(files.certificate, str(made.certificate_pem))


def _registered(
    client: mqtt5.Client, template: str, blocker_id: str, code: str
) -> tuple[iotidentity.CreateKeysAndCertificateResponse, str]:
    identity = iotidentity.IotIdentityClientV2(
        client, ClientOptions(max_request_response_subscriptions=4, max_streaming_subscriptions=0)
    )
    made = identity.create_keys_and_certificate(iotidentity.CreateKeysAndCertificateRequest())
    new: iotidentity.CreateKeysAndCertificateResponse = made.result(ANSWER_SECONDS_MAX)
    registration = iotidentity.RegisterThingRequest(
        template_name=template,
        certificate_ownership_token=new.certificate_ownership_token,
        parameters={"BlockerId": blocker_id, "RegistrationCode": code},
    )
    answer = identity.register_thing(registration).result(ANSWER_SECONDS_MAX)
    if answer.thing_name != blocker_id:
        raise NotEnrolled(f"registered as {answer.thing_name}")
    offline_secret = (answer.device_configuration or {}).get("OfflineSecret")
    if not offline_secret:
        raise NotEnrolled("there was no offline secret in the answer")
    return new, str(offline_secret)


def _settle(outcome: Future[None], error: NotEnrolled | None) -> None:
    """The first word counts: the SDK goes on trying."""
    if outcome.done():
        return
    if error:
        outcome.set_exception(error)
    else:
        outcome.set_result(None)


def _write(file: Path, text: str) -> None:
    """All of it or nothing, readable by its owner only, and on the disk before the name is."""
    unfinished = file.with_name(f"{file.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    unfinished.rename(file)


def main() -> int:
    """Parse the command line, read the code, enrol; 1 means that there is no certificate."""
    parser = argparse.ArgumentParser(prog="parking_blocker.enrol", description="Fetch a blocker's certificate, once.")
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--port", type=int, default=8883)
    for name in ("ca", "claim-certificate", "claim-key", "certificate", "key", "offline-secret"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--template", required=True)
    parser.add_argument("--blocker-id", required=True)
    told = parser.parse_args()
    claim = Claim(told.claim_certificate, told.claim_key, told.template)
    files = Files(told.certificate, told.key, told.offline_secret)
    sys.stderr.write("registration code: ")
    code = sys.stdin.readline().strip()
    try:
        enrol(Endpoint(told.endpoint, told.port, told.ca), claim, told.blocker_id, code, files)
    except NotEnrolled as why:
        sys.stderr.write(f"\nparking_blocker.enrol: {why}\n")
        return 1
    sys.stderr.write(f"\n{told.blocker_id} has its certificate: {told.certificate}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
