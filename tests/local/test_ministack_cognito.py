"""Tokens of the user pool, as far as the system looks at what they say."""

import base64
import json
import uuid
from typing import Any

from tests.local.ministack_support import RunningMiniStack, eventually


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def signed_up(running: RunningMiniStack) -> str:
    email = f"{uuid.uuid4().hex}@example.com"
    running.sign_up(email)
    return email


def logged_in_and_refreshed(running: RunningMiniStack) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the access token of a log-in says, and one that its refresh token gave in a later second."""
    tokens = running.log_in(signed_up(running))
    at_first = claims_of(tokens["AccessToken"])

    def refreshed() -> dict[str, Any]:
        answer = running.client("cognito-idp").initiate_auth(
            ClientId=running.outputs["PoolClientId"],
            AuthFlow="REFRESH_TOKEN_AUTH",
            AuthParameters={"REFRESH_TOKEN": tokens["RefreshToken"]},
        )
        return claims_of(answer["AuthenticationResult"]["AccessToken"])

    return at_first, eventually(refreshed, lambda claims: claims["iat"] > at_first["iat"])


def test_a_refreshed_token_says_when_its_driver_logged_in(patched: RunningMiniStack) -> None:
    at_first, later = logged_in_and_refreshed(patched)
    assert at_first["auth_time"] == at_first["iat"]
    assert later["auth_time"] == at_first["auth_time"] < later["iat"]


def test_the_next_log_in_has_a_time_of_its_own(patched: RunningMiniStack) -> None:
    email = signed_up(patched)
    first = claims_of(patched.log_in(email)["AccessToken"])
    again = eventually(
        lambda: claims_of(patched.log_in(email)["AccessToken"]), lambda claims: claims["iat"] > first["iat"]
    )
    assert again["auth_time"] == again["iat"]


def test_without_the_patch_a_refreshed_token_is_a_fresh_log_in(unpatched: RunningMiniStack) -> None:
    at_first, later = logged_in_and_refreshed(unpatched)
    assert later["auth_time"] == later["iat"] > at_first["auth_time"]
