"""Nobody reads or changes another driver's things, and nobody gets in without a driver's own valid access token."""

import base64
import json
import time
import uuid
from datetime import timedelta

import boto3
import httpx
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from local.drivers import Account, Driver
from tests.e2e.malformed import wellformed
from tests.e2e.openapi import METHODS, Operation, operations
from tests.e2e.owned import Owned, one_of_everything
from tests.e2e.stays import everything, reserve
from tests.e2e.world import PASSWORD, Json, Spot, World, base64url, eventually, expect

PRIVATE = [one for one in operations() if not one.is_public]
SHARED_IDS = {"spot_id"}
"""A spot is everybody's; every other id in a path or a body is one driver's."""
OWN_NAME = "PUT /push-devices/{device_id}"
"""A device id is the driver's own name for a phone, so it names another phone for another driver."""
REFUSED = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND)


@pytest.fixture
def owned(world: World, driver: Driver, later_spot: Spot) -> Owned:
    return one_of_everything(world, driver, later_spot)


def ids_of(operation: Operation) -> set[str]:
    """The ids in the operation's path that belong to one driver."""
    return {one.name for one in operation.in_place("path")} - SHARED_IDS


def with_ids(operation: Operation, ids: dict[str, str]) -> tuple[str, Json | None]:
    """The path and the body with these ids in the places that the document has for them."""
    good = wellformed(operation)
    path = operation.path
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", value)
    if good.body is None:
        return path, None
    fields = {one.name for one in operation.fields}
    return path, json.loads(good.body) | {name: value for name, value in ids.items() if name in fields}


def test_the_matrix_knows_a_thing_for_every_id_of_the_document(owned: Owned) -> None:
    """A new kind of id fails here until `one_of_everything` has one."""
    assert {name for one in PRIVATE for name in ids_of(one)} <= set(owned.ids)


def test_another_drivers_things_are_not_found_by_any_method_of_any_route(owned: Owned, other_driver: Driver) -> None:
    before = owned.seen()
    by_path = {one.path: one for one in PRIVATE if ids_of(one)}
    bodies = {one.name: with_ids(one, owned.ids)[1] for one in PRIVATE}
    for operation in by_path.values():
        path, _ = with_ids(operation, owned.ids)
        for method in {*METHODS, "PATCH"}:
            name = f"{method} {operation.path}"
            if name == OWN_NAME:
                continue
            answer = other_driver.request(method, path, bodies.get(name))
            assert answer.status_code == httpx.codes.NOT_FOUND, f"{name}: {answer.text}"
            assert not any(value in answer.text for key, value in owned.ids.items() if key not in SHARED_IDS), name
    assert owned.seen() == before


def test_another_drivers_things_are_not_found_in_a_body(owned: Owned, other_driver: Driver) -> None:
    before, asked = owned.seen(), []
    own = one_id_each(owned)
    for operation in PRIVATE:
        for field in {one.name for one in operation.fields} & set(own):
            path, body = with_ids(operation, {field: own[field]})
            wish = (body or {}) | ({"method": "CARD"} if "method" in (body or {}) else {})
            answer = other_driver.request(operation.method, path, wish)
            assert answer.status_code == httpx.codes.NOT_FOUND, f"{operation.name} {field}: {answer.text}"
            asked.append((operation.name, field))
    assert len(asked) >= 3, asked
    assert owned.seen() == before


def one_id_each(owned: Owned) -> dict[str, str]:
    return {name: value for name, value in owned.ids.items() if name not in SHARED_IDS}


def test_no_list_shows_another_drivers_things(owned: Owned, other_driver: Driver) -> None:
    for operation in PRIVATE:
        if operation.method == "GET" and not operation.in_place("path"):
            answer = other_driver.get(wellformed(operation).url)
            assert answer.is_success, f"{operation.name}: {answer.text}"
            assert [name for name, value in one_id_each(owned).items() if value in answer.text] == [], operation.name


def test_the_owner_finds_everything(owned: Owned) -> None:
    """Else 404 for another driver would prove nothing. What removes a thing comes last."""
    for operation in sorted(PRIVATE, key=lambda one: one.method == "DELETE"):
        if ids_of(operation):
            path, body = with_ids(operation, owned.ids)
            status = owned.driver.request(operation.method, path, body).status_code
            assert status not in (*REFUSED, httpx.codes.INTERNAL_SERVER_ERROR), f"{operation.name}: {status}"


def test_the_same_device_id_of_two_drivers_is_two_phones(owned: Owned, other_driver: Driver) -> None:
    path = f"/push-devices/{owned.ids['device_id']}"
    expect(200, other_driver.request("PUT", path, {"platform": "FCM", "token": "another-s-token"}))
    expect(204, other_driver.request("DELETE", path))
    expect(404, other_driver.request("DELETE", path))
    expect(204, owned.driver.request("DELETE", path))


def test_another_drivers_reservation_cannot_be_paid(spot: Spot, driver: Driver, other_driver: Driver) -> None:
    stay = reserve(driver, spot, begins_in=timedelta(hours=1))
    body = {"reservation_id": stay["reservation_id"], "method": "WALLET"}
    assert [error["field"] for error in expect(404, other_driver.post("/payments", body))["errors"]] == [
        "reservation_id"
    ]
    assert [one["kind"] for one in everything(other_driver, "/wallet/transactions")] == ["DEPOSIT"]


def test_another_drivers_cursor_is_refused(driver: Driver, other_driver: Driver) -> None:
    for _ in range(2):
        expect(201, driver.post("/wallet/deposits", {"amount": 100}))
    cursor = expect(200, driver.get("/payments?limit=1"))["next_cursor"]
    refused = expect(400, other_driver.get(f"/payments?limit=1&cursor={cursor}"))
    assert [error["field"] for error in refused["errors"]] == ["cursor"]


# -- tokens -------------------------------------------------------------------------------------------------------


def unpadded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def parts_of(token: str) -> tuple[Json, Json, str]:
    header, claims, signature = token.split(".")
    return json.loads(base64url(header)), json.loads(base64url(claims)), signature


def joined(header: Json, claims: Json) -> str:
    return f"{unpadded(json.dumps(header).encode())}.{unpadded(json.dumps(claims).encode())}"


def with_another_signature(token: str) -> str:
    header, claims, signature = token.split(".")
    flipped = "A" if signature[20] != "A" else "B"
    return f"{header}.{claims}.{signature[:20]}{flipped}{signature[21:]}"


def with_another_owner(token: str) -> str:
    header, claims, signature = parts_of(token)
    return f"{joined(header, claims | {'sub': str(uuid.uuid4())})}.{signature}"


def with_a_later_end(token: str) -> str:
    header, claims, signature = parts_of(token)
    return f"{joined(header, claims | {'exp': claims['exp'] + 86_400})}.{signature}"


def without_algorithm(token: str) -> str:
    header, claims, _ = parts_of(token)
    return f"{joined(header | {'alg': 'none'}, claims)}."


def signed_by_somebody_else(token: str) -> str:
    header, claims, _ = parts_of(token)
    text = joined(header, claims)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return f"{text}.{unpadded(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def status_with(world: World, authorization: str | None, operation: Operation | None = None) -> int:
    """What a route answers to these credentials; without an operation GET /wallet."""
    headers = {} if authorization is None else {"Authorization": authorization}
    method, path = (operation.method, operation.path) if operation else ("GET", "/wallet")
    path = path.replace("{", "").replace("}", "")
    return httpx.request(method, world.stack.api_url + path, headers=headers).status_code


FORGERIES = (
    with_another_signature, with_another_owner, with_a_later_end, without_algorithm, signed_by_somebody_else,
)  # fmt: skip


def test_a_forged_token_opens_no_route(world: World, driver: Driver) -> None:
    token = driver.access_token
    assert status_with(world, f"Bearer {token}") == httpx.codes.OK
    for forge in FORGERIES:
        forged = forge(token)
        for operation in PRIVATE:
            status = status_with(world, f"Bearer {forged}", operation)
            assert status == httpx.codes.UNAUTHORIZED, f"{forge.__name__}: {operation.name} answered {status}"


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer x.y.z", "Basic dGVzdDp0ZXN0", "x"])
def test_no_route_opens_without_a_token(world: World, authorization: str | None) -> None:
    for operation in PRIVATE:
        assert status_with(world, authorization, operation) == httpx.codes.UNAUTHORIZED, operation.name


def test_an_expired_token_opens_nothing(world: World) -> None:
    account = Account(f"{uuid.uuid4().hex}@example.com", PASSWORD)
    world.stack.accounts.sign_up(account)
    cognito = world.stack.client("cognito-idp")
    app = {"UserPoolId": world.stack.user_pool_id, "ClientId": world.stack.user_pool_client_id}
    usual = cognito.describe_user_pool_client(**app)["UserPoolClient"]
    short = {"AccessTokenValidity": 2, "TokenValidityUnits": usual["TokenValidityUnits"] | {"AccessToken": "seconds"}}
    cognito.update_user_pool_client(**app, **short)
    try:
        token = world.stack.accounts.log_in(account)
    finally:
        cognito.update_user_pool_client(**app, **{name: usual[name] for name in short})
    assert status_with(world, f"Bearer {token}") == httpx.codes.OK
    expires = parts_of(token)[1]["exp"]
    eventually(lambda: time.time() > expires + 1, "the token to expire")
    assert {status_with(world, f"Bearer {token}", one) for one in PRIVATE} == {httpx.codes.UNAUTHORIZED}


def test_an_id_token_is_no_access_token(world: World) -> None:
    account = Account(f"{uuid.uuid4().hex}@example.com", PASSWORD)
    world.stack.accounts.sign_up(account)
    unsigned = Config(signature_version=UNSIGNED)
    cognito = boto3.client(
        "cognito-idp", endpoint_url=world.stack.aws_endpoint_url, region_name=world.stack.region, config=unsigned
    )
    tokens = cognito.initiate_auth(
        ClientId=world.stack.user_pool_client_id,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": account.email, "PASSWORD": account.password},
    )["AuthenticationResult"]
    assert status_with(world, f"Bearer {tokens['AccessToken']}") == httpx.codes.OK
    for operation in PRIVATE:
        status = status_with(world, f"Bearer {tokens['IdToken']}", operation)
        assert status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN), operation.name


def test_the_stack_enforces_rights(world: World) -> None:
    """Else the roles' sufficiency would prove nothing: a key that nobody knows may not even list the tables."""
    stranger = boto3.client(
        "dynamodb",
        endpoint_url=world.stack.aws_endpoint_url,
        region_name=world.stack.region,
        aws_access_key_id="AKIASTRANGER",
        aws_secret_access_key="unknown",
    )
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        stranger.list_tables()
