"""What the environment says. Read once, at the first use; a missing variable names itself."""

import os


class MissingSetting(Exception):
    """The template did not give the function a variable that it needs."""


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise MissingSetting(f"the environment variable {name} is not set")
    return value


_TABLES = (
    "spots",
    "calendars",
    "reservations",
    "payments",
    "wallets",
    "transactions",
    "payment_methods",
    "notifications",
    "push_devices",
    "endpoint_owners",
    "notification_preferences",
    "blockers",
    "favourites",
    "audit",
    "enrolments",
)


def tables() -> dict[str, str]:
    """The table of each aggregate: {"spots": ..., "calendars": ...}."""
    return {name: _required(f"{name.upper()}_TABLE") for name in _TABLES}


def currency() -> str:
    """The currency of the wallets, ISO 4217."""
    return _required("CURRENCY")


def stripe_secret_id() -> str:
    """The secret that holds {"api_key", "webhook_secret"}."""
    return _required("STRIPE_SECRET_ID")


def stripe_api_base() -> str | None:
    """Where Stripe answers; None is Stripe itself."""
    return os.environ.get("STRIPE_API_BASE") or None


def user_pool_id() -> str:
    """The drivers' user pool."""
    return _required("USER_POOL_ID")


def iot_policy_name() -> str:
    """The policy that each thing's certificate gets."""
    return _required("IOT_POLICY_NAME")


def offline_secret_id() -> str:
    """The secret that holds the master of all offline codes: {"present"} and, while it is replaced, {"next"}."""
    return _required("OFFLINE_SECRET_ID")


def platform_application_arns() -> dict[str, str]:
    """The SNS platform applications that there are credentials for, by platform."""
    arns = {platform: os.environ.get(f"{platform}_APPLICATION_ARN", "") for platform in ("APNS", "FCM")}
    return {platform: arn for platform, arn in arns.items() if arn}
