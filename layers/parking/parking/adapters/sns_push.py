"""Push notifications through SNS platform endpoints."""

import json
import re
from collections.abc import Mapping

import boto3
from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

from parking.adapters.aws import CONFIG
from parking.domain.notification import Notification, Platform
from parking.services.ports import EndpointGone

_EXISTS = re.compile(r"Endpoint (?P<arn>arn:\S+) already exists")
