"""The composition root: each port's real adapter, made once per process at its first use.

Adapters are imported where they are made, so that a function loads only what it uses (cold start).
"""

import gc
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from parking import journal, settings

if TYPE_CHECKING:
    from parking.services.ports import (
        Aggregate,
        CardGateway,
        Each,
        EntryCodes,
        Logins,
        Push,
        ShadowDocument,
        Shadows,
        Store,
        Things,
        WebhookVerifier,
    )


def load_ahead() -> None:
    """Load what takes longest of `store`, for functions that somebody waits for: botocore in PynamoDB (decision 44).

    Nothing that is loaded is garbage, but the collector would look through it again and again: it waits, and leaves
    all that is there alone from then on.
    """
    gc.disable()
    import_module("pynamodb.connection")
    gc.freeze()
    gc.enable()


@cache
def store() -> "Store":
    """DynamoDB; each commit is told to the log once it stands."""
    from parking.adapters.dynamodb.store import DynamoStore
    from parking.adapters.dynamodb.tables import Tables

    return DynamoStore(Tables(**settings.tables()), in_parallel(), journal.tell)


def in_parallel() -> "Each":
    """Threads."""
    from parking.adapters.parallel import in_parallel

    return in_parallel


def from_stream_image[A: "Aggregate"](kind: type[A], image: dict[str, Any]) -> A:
    """The aggregate that a DynamoDB stream record shows."""
    from parking.adapters.dynamodb.schema import shape_of

    return shape_of(kind).aggregate(image)


@cache
def shadows() -> "Shadows":
    """IoT Core's named shadows."""
    from parking.adapters.iot import IotShadows

    return IotShadows()


def from_shadow_event(event: dict[str, Any]) -> "ShadowDocument":
    """The current shadow that IoT's `update/documents` shows."""
    from parking.adapters.shadow_documents import document_from

    return document_from(event["current"])


@cache
def things() -> "Things":
    """IoT Core's registry."""
    from parking.adapters.iot import IotThings

    return IotThings(settings.iot_policy_name())


@cache
def entry_codes() -> "EntryCodes":
    """Derived from the master secret, which the process reads once."""
    from parking.adapters.entry_codes import DerivedEntryCodes
    from parking.adapters.secrets import read_secret

    return DerivedEntryCodes(read_secret(settings.offline_secret_id()))


@cache
def push() -> "Push":
    """SNS mobile push."""
    from parking.adapters.sns_push import SnsPush

    return SnsPush(settings.platform_application_arns())


@cache
def logins() -> "Logins":
    """The Cognito user pool."""
    from parking.adapters.cognito import CognitoLogins

    return CognitoLogins(settings.user_pool_id())


@cache
def cards() -> "CardGateway":
    """Stripe."""
    from parking.adapters.stripe_cards import StripeCards

    return StripeCards(_stripe_secret()["api_key"], settings.stripe_api_base())


@cache
def webhook_verifier() -> "WebhookVerifier":
    """Stripe's signature check."""
    from parking.adapters.stripe_cards import StripeWebhookVerifier

    return StripeWebhookVerifier(_stripe_secret()["webhook_secret"])


@cache
def _stripe_secret() -> dict[str, str]:
    from parking.adapters.secrets import read_secret

    return read_secret(settings.stripe_secret_id())
