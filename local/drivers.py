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
        self, method: str, path: str, body: dict[str, Any] | None = None, *, key: str | None = None
    ) -> httpx.Response:
        """One call of the API. A POST gets an Idempotency-Key: the given one, or a new one."""
        headers = {"Idempotency-Key": key or uuid.uuid4().hex} if method == "POST" else {}
        return self._client.request(method, path, json=body, headers=headers)

    def get(self, path: str) -> httpx.Response:
        return self.request("GET", path)

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
    intent_id = client_secret.partition("_secret_")[0]
    return _as_mobile_sdk(
        f"{stripe_api_base}/v1/payment_intents/{intent_id}/confirm",
        {"client_secret": client_secret, "payment_method": payment_method, "return_url": "smartparking://payment"},
    )


def finish_3d_secure(stripe_api_base: str, client_secret: str, *, success: bool) -> httpx.Response:
    """What the driver does on the bank's page: pass the 3-D Secure check or fail it."""
    intent_id = client_secret.partition("_secret_")[0]
    return _as_mobile_sdk(
        f"{stripe_api_base}/v1/payment_intents/{intent_id}/_authenticate",
        {"client_secret": client_secret, "success": str(success).lower()},
    )


def _as_mobile_sdk(url: str, data: dict[str, str]) -> httpx.Response:
    headers = {"Authorization": f"Bearer {PUBLISHABLE_KEY}"}
    return httpx.post(url, data=data, headers=headers, timeout=REQUEST_SECONDS_MAX)
