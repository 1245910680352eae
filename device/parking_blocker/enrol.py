"""`parking-blocker-enrol …`: a blocker from the factory fetches its own certificate, once.

It connects with the claim certificate that every machine of a batch shares, asks AWS IoT for a certificate of its own
and registers with its id and the code that an operator gave out for it (AWS IoT, "Fleet provisioning"). With the
certificate comes the secret by which it checks codes that drivers type. The operator's code is read from standard
input, where no list of processes shows it. The code counts once, so whether the files can be written is found out
before it is sent. Nothing is left unless the whole of it succeeded, and what is there already is never overwritten.
"""

import argparse
import os
import sys
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager, suppress
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
    # The certificate last: without the others it would pass for complete.
    names = (files.key, files.offline_secret, files.certificate)
    for file in names:
        if file.exists():
            raise NotEnrolled(f"{file} is there already")
    with _unfinished(names) as unfinished:
        made, offline_secret = _fetched(endpoint, claim, blocker_id, code)
        texts = (str(made.private_key), offline_secret, str(made.certificate_pem))
        for file, text in zip(unfinished, texts, strict=True):
            _write(file, text)
        _rename_all(unfinished, names)


def _fetched(
    endpoint: Endpoint, claim: Claim, blocker_id: str, code: str
) -> tuple[iotidentity.CreateKeysAndCertificateResponse, str]:
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
        return _registered(client, claim.template, blocker_id, code)
    except FutureTimeoutError:
        raise NotEnrolled(f"no answer for {ANSWER_SECONDS_MAX} s") from None
    except V2ServiceException as refusal:
        raise NotEnrolled(f"refused: {getattr(refusal.modeled_error, 'error_code', None) or refusal}") from None
    finally:
        client.stop()
        wait([stopped], ANSWER_SECONDS_MAX)  # a goodbye that nobody hears takes nothing from the answer


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


@contextmanager
def _unfinished(names: Sequence[Path]) -> Iterator[list[Path]]:
    """Empty files beside these names, readable by their owner only. None of them is left, however it ends."""
    unfinished = [name.with_name(f"{name.name}.unfinished") for name in names]
    try:
        for file in unfinished:
            file.unlink(missing_ok=True)
            os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield unfinished
    except OSError as error:
        raise NotEnrolled(f"a file cannot be used: {error}") from error
    finally:
        for file in unfinished:
            with suppress(OSError):
                file.unlink(missing_ok=True)


def _write(file: Path, text: str) -> None:
    with file.open("w", encoding="ascii") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def _rename_all(unfinished: Sequence[Path], names: Sequence[Path]) -> None:
    """All or none, and on the disk. Raises OSError."""
    try:
        for file, name in zip(unfinished, names, strict=True):
            file.rename(name)
        for folder in {name.parent for name in names}:
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError:
        for name in names:
            name.unlink(missing_ok=True)
        raise


def main() -> int:
    """Parse the command line, read the code, enrol; 1 means that there is no certificate."""
    parser = argparse.ArgumentParser(prog="parking-blocker-enrol", description="Fetch a blocker's certificate, once.")
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
        sys.stderr.write(f"\nparking-blocker-enrol: {why}\n")
        return 1
    sys.stderr.write(f"\n{told.blocker_id} has its certificate: {told.certificate}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
