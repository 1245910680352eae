"""The mobile app's side of the system: a driver's account, the API with the driver's token, Stripe's mobile SDK."""

import uuid
from dataclasses import dataclass
from typing import Any

import boto3
import httpx
from botocore import UNSIGNED
from botocore.config import Config

REQUEST_SECONDS_MAX = 30
PUBLISHABLE_KEY = "pk_test_local"
SIGN_UP_CODE = "123456"  # the one that the emulator of Cognito takes


@dataclass(frozen=True)
class Account:
    email: str
    password: str


class Driver:
    """A logged-in driver. `request` gives every answer back as it is; nothing is raised for a status."""

    def __init__(self, api_url: str, access_token: str) -> None:
        self.access_token = access_token
        self._client = httpx.Client(
            base_url=api_url,
            headers={"Authorization": f"Bearer {access_token}"},
            timeout=REQUEST_SECONDS_MAX,
        )

    def request(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str | None = None, accept: str = "*/*"
    ) -> httpx.Response:
        """One call of the API. A POST gets an Idempotency-Key: the given one, or a new one."""
        headers = {"Accept": accept}
        if method == "POST":
            headers["Idempotency-Key"] = key or uuid.uuid4().hex
        return self._client.request(method, path, json=body, headers=headers)

    def get(self, path: str, *, accept: str = "*/*") -> httpx.Response:
        return self.request("GET", path, accept=accept)

    def post(self, path: str, body: dict[str, Any] | None = None, *, key: str | None = None) -> httpx.Response:
        return self.request("POST", path, body, key=key)

    def close(self) -> None:
        self._client.close()


class Accounts:
    """Sign-up and log-in as an app does them: unsigned calls to Cognito."""

    def __init__(self, *, aws_endpoint_url: str, region: str, client_id: str) -> None:
        self._client_id = client_id
        self._cognito = boto3.client(
            "cognito-idp",
            endpoint_url=aws_endpoint_url,
            region_name=region,
            config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 2}),
        )

    def sign_up(self, account: Account) -> None:
        """Register and confirm the address; botocore's ClientError where Cognito refuses."""
        self._cognito.sign_up(
            ClientId=self._client_id,
            Username=account.email,
            Password=account.password,
            UserAttributes=[{"Name": "email", "Value": account.email}],
        )
        self._cognito.confirm_sign_up(ClientId=self._client_id, Username=account.email, ConfirmationCode=SIGN_UP_CODE)

    def log_in(self, account: Account) -> str:
        """The access token; botocore's ClientError where Cognito refuses."""
        answer = self._cognito.initiate_auth(
            ClientId=self._client_id,
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": account.email, "PASSWORD": account.password},
        )
        return answer["AuthenticationResult"]["AccessToken"]


def confirm_payment(
    stripe_api_base: str, client_secret: str, *, payment_method: str = "pm_card_visa"
) -> httpx.Response:
    """Confirm a PaymentIntent as Stripe's mobile SDK does: publishable key, client secret and a test card."""
    return _confirm(stripe_api_base, client_secret, payment_method)


def save_card(stripe_api_base: str, client_secret: str, *, payment_method: str = "pm_card_visa") -> httpx.Response:
    """Confirm a SetupIntent as Stripe's mobile SDK does; the card is saved, or asks for 3-D Secure first."""
    return _confirm(stripe_api_base, client_secret, payment_method)


def finish_3d_secure(stripe_api_base: str, client_secret: str, *, success: bool) -> httpx.Response:
    """What the driver does on the bank's page, for a payment or a setup: pass the 3-D Secure check or fail it."""
    return _as_mobile_sdk(stripe_api_base, client_secret, "_authenticate", {"success": str(success).lower()})


def intent_id_of(client_secret: str) -> str:
    """The id of the PaymentIntent or SetupIntent whose secret this is."""
    return client_secret.partition("_secret_")[0]


def _confirm(stripe_api_base: str, client_secret: str, payment_method: str) -> httpx.Response:
    form = {"payment_method": payment_method, "return_url": "smartparking://payment"}
    return _as_mobile_sdk(stripe_api_base, client_secret, "confirm", form)


def _as_mobile_sdk(stripe_api_base: str, client_secret: str, step: str, form: dict[str, str]) -> httpx.Response:
    intent_id = intent_id_of(client_secret)
    kind = "setup_intents" if intent_id.startswith("seti_") else "payment_intents"
    return httpx.post(
        f"{stripe_api_base}/v1/{kind}/{intent_id}/{step}",
        data={"client_secret": client_secret, **form},
        headers={"Authorization": f"Bearer {PUBLISHABLE_KEY}"},
        timeout=REQUEST_SECONDS_MAX,
    )
