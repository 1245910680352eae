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
        self._client.create_thing(thingName=blocker_id)
        made = self._client.create_keys_and_certificate(setAsActive=True)
        self._client.attach_policy(policyName=self._policy_name, target=made["certificateArn"])
        self._client.attach_thing_principal(thingName=blocker_id, principal=made["certificateArn"])
        for principal in self._principals(blocker_id):
            if principal != made["certificateArn"]:
                certificate_id = principal.rpartition("/")[2]
                self._client.update_certificate(certificateId=certificate_id, newStatus="INACTIVE")
                self._client.detach_thing_principal(thingName=blocker_id, principal=principal)
        return Certificate(made["certificateId"], made["certificatePem"], made["keyPair"]["PrivateKey"])

    def _principals(self, blocker_id: BlockerId) -> list[str]:
        pages = self._client.get_paginator("list_thing_principals").paginate(thingName=blocker_id)
        return [principal for page in pages for principal in page["principals"]]


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise ShadowUnavailable(f"{type(error).__name__}: {error}") from error
