"""Push notifications through SNS platform endpoints."""

import json
import re
from collections.abc import Mapping

import boto3
from botocore.exceptions import ClientError

from parking.adapters.aws import CONFIG
from parking.adapters.push_payloads import apns, apns_headers, fcm
from parking.domain.errors import InvalidField
from parking.domain.notification import Platform
from parking.services.ports import EndpointGone, PushMessage

_EXISTS_ALREADY = re.compile(r"Endpoint (arn:\S+) already exists")
_NO_ENDPOINT = "No endpoint found"
_GONE = frozenset({"EndpointDisabled", "EndpointDisabledException", "NotFound", "NotFoundException"})


class SnsPush:
    """`applications` are the ARNs of SNS platform applications by platform; one without is not pushed to."""

    def __init__(self, applications: Mapping[str, str]) -> None:
        self._client = boto3.client("sns", config=CONFIG)
        self._applications = applications

    def register(self, device_id: str, platform: Platform, token: str) -> str | None:
        """The endpoint of a device, enabled; None where the stack has no credentials for the platform.

        SNS gives the same endpoint for the same token, but refuses if it was made for another device id. Raises
        InvalidField for a token that SNS does not take.
        """
        application = self._applications.get(platform)
        if application is None:
            return None
        try:
            endpoint = self._client.create_platform_endpoint(
                PlatformApplicationArn=application, Token=token, CustomUserData=device_id
            )["EndpointArn"]
        except self._client.exceptions.InvalidParameterException as error:
            existing = _EXISTS_ALREADY.search(str(error))
            if existing is None:
                raise InvalidField("token", "is not one that the platform gives") from error
            endpoint = existing[1]
        attributes = {"Enabled": "true", "Token": token, "CustomUserData": device_id}
        self._client.set_endpoint_attributes(EndpointArn=endpoint, Attributes=attributes)
        return endpoint

    def remove(self, endpoint: str) -> None:
        """Delete an endpoint; one that is gone is fine, for SNS too."""
        self._client.delete_endpoint(EndpointArn=endpoint)

    def publish(self, endpoint: str, platform: Platform, message: PushMessage) -> None:
        """Knock. Raises EndpointGone."""
        service = endpoint.rpartition(":")[2].split("/")[1]  # APNS, APNS_SANDBOX or GCM: SNS wants the name in the ARN
        payload, headers = fcm(message), dict[str, str]()
        if platform is Platform.APNS:
            payload, headers = apns(message), apns_headers(message, service)
        try:
            self._client.publish(
                TargetArn=endpoint,
                MessageStructure="json",
                Message=json.dumps({"default": message.text, service: payload}, ensure_ascii=False),
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in headers.items()
                },
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _GONE or _NO_ENDPOINT in error.response["Error"]["Message"]:
                raise EndpointGone(f"{endpoint}: {code}") from error
            raise
