"""A refreshed token says when its driver logged in, not when it was refreshed.

Gap: MiniStack writes the time of the refresh into `auth_time`, so whoever has a refresh token would seem to have just
given the password. OpenID Connect Core 1.0, section 12.2, wants the time of the log-in.
Closed by: the first `auth_time` of an `origin_jti`, the id that a log-in's tokens share, stands in all of them.
No longer needed when: test_ministack_cognito.py::test_without_the_patch_a_refreshed_token_is_a_fresh_log_in fails.
"""

from typing import Any

from local.ministack.modules import ministack


def apply() -> None:
    cognito = ministack("services.cognito")
    sign = cognito._signed_jwt
    logged_in_at: dict[str, int] = {}

    def sign_with_the_time_of_the_log_in(claims: dict[str, Any], *rest: Any) -> str:
        if "auth_time" in claims:
            claims["auth_time"] = logged_in_at.setdefault(claims["origin_jti"], claims["auth_time"])
        token: str = sign(claims, *rest)
        return token

    cognito._signed_jwt = sign_with_the_time_of_the_log_in
