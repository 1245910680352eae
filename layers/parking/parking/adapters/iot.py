"""The blockers' shadows and the registry of things in IoT Core."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from parking.adapters.aws import CONFIG
from parking.adapters.shadow_documents import SHADOW_NAME, desired_of, document_from
from parking.domain.blocker import Command
from parking.domain.ids import BlockerId
from parking.services.ports import Certificate, ShadowConflict, ShadowDocument, ShadowUnavailable


class IotShadows:
    """Shadows over the data plane of IoT Core."""

    def __init__(self) -> None:
        self._client = boto3.client("iot-data", config=CONFIG)

    def get(self, blocker_id: BlockerId) -> ShadowDocument | None:
        """The shadow as it is now; None if the device never had one. Raises ShadowUnavailable."""
        with _translated():
            try:
                answer = self._client.get_thing_shadow(thingName=blocker_id, shadowName=SHADOW_NAME)
            except self._client.exceptions.ResourceNotFoundException:
                return None
            return document_from(json.loads(answer["payload"].read()))

    def desire(self, blocker_id: BlockerId, command: Command, version: int) -> None:
        """Write the command into `desired`. Raises ShadowConflict, ShadowUnavailable."""
        document: dict[str, object] = {"state": {"desired": desired_of(command)}}
        if version:
            document["version"] = version
        payload = json.dumps(document).encode()
        with _translated():
            try:
                self._client.update_thing_shadow(thingName=blocker_id, shadowName=SHADOW_NAME, payload=payload)
            except self._client.exceptions.ConflictException as error:
                raise ShadowConflict(f"the shadow of {blocker_id} is not at version {version}") from error


class IotThings:
    """Things over the control plane of IoT Core. `policy_name` is the policy of every blocker's certificate."""

    def __init__(self, policy_name: str) -> None:
        self._client = boto3.client("iot", config=CONFIG)
        self._policy_name = policy_name

    def register(self, blocker_id: BlockerId) -> Certificate:
        """Make the thing if it is new, give it a new certificate, and cut off every earlier one.

        An operator's tool: what AWS refuses is raised as it is. Run again, it mends what a crash left half done.
        """
        made = self.issue(blocker_id)
        self.keep_only(blocker_id, made.certificate_id)
        return made

    def issue(self, blocker_id: BlockerId) -> Certificate:
        """Make the thing if it is new, and give it one more certificate."""
        self._client.create_thing(thingName=blocker_id)
        made = self._client.create_keys_and_certificate(setAsActive=True)
        self._client.attach_policy(policyName=self._policy_name, target=made["certificateArn"])
        self._client.attach_thing_principal(thingName=blocker_id, principal=made["certificateArn"])
        return Certificate(made["certificateId"], made["certificatePem"], made["keyPair"]["PrivateKey"])

    def keep_only(self, blocker_id: BlockerId, certificate_id: str) -> None:
        """Cut off every certificate of the thing but this one."""
        self._cut_off(blocker_id, kept=certificate_id)

    def cut_off(self, blocker_id: BlockerId) -> bool:
        """Cut off every certificate of the thing, and end its connection; False if that could not be ended at once.

        AWS ends the connections of a certificate that is not active by itself, within minutes (UpdateCertificate).
        """
        self._cut_off(blocker_id, kept=None)
        data_plane = boto3.client("iot-data", config=CONFIG)
        try:
            data_plane.delete_connection(clientId=blocker_id, cleanSession=True, preventWillMessage=True)
        except data_plane.exceptions.ResourceNotFoundException:
            return True  # it is not connected
        except (BotoCoreError, ClientError):
            return False
        return True

    def _cut_off(self, blocker_id: BlockerId, kept: str | None) -> None:
        for principal in self._principals(blocker_id):
            certificate_id = principal.rpartition("/")[2]
            if certificate_id != kept:
                self._client.update_certificate(certificateId=certificate_id, newStatus="INACTIVE")
                # Without its policy, a connection that is still open reaches nothing any more.
                self._client.detach_policy(policyName=self._policy_name, target=principal)
                self._client.detach_thing_principal(thingName=blocker_id, principal=principal)

    def _principals(self, blocker_id: BlockerId) -> list[str]:
        """None of a thing that is not there yet: its device has not fetched its certificate."""
        pages = self._client.get_paginator("list_thing_principals").paginate(thingName=blocker_id)
        try:
            return [principal for page in pages for principal in page["principals"]]
        except self._client.exceptions.ResourceNotFoundException:
            return []


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ShadowUnavailable(f"{type(error).__name__}: {error}") from error
