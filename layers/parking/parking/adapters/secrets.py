"""Secrets Manager."""

import json

import boto3

from parking.adapters.aws import CONFIG


def read_secret(secret_id: str) -> dict[str, str]:
    """A secret's JSON object. The caller keeps it for its process: a rotated secret is seen by the next cold start."""
    answer = boto3.client("secretsmanager", config=CONFIG).get_secret_value(SecretId=secret_id)
    secret: dict[str, str] = json.loads(answer["SecretString"])
    return secret
