"""HTTP APIs deployed from SAM: routes, JWT authorizers, scopes, CORS and their updates."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.ministack.patches import bounded_api
from tests.local.ministack_support import PROBES, RunningMiniStack, launched

ORIGIN = "https://app.example"


@pytest.fixture(scope="module")
def tokens(patched: RunningMiniStack) -> dict[str, str]:
    """The access and the identity token of a fresh user."""
    patched.sign_up("driver@example.com")
    answer = patched.log_in("driver@example.com")
    return {"access": answer["AccessToken"], "identity": answer["IdToken"]}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_route_with_a_variable_reaches_its_function(patched: RunningMiniStack, tokens: dict[str, str]) -> None:
    answer = patched.call_api("GET", "/things/7", bearer(tokens["access"]))
    assert answer.status_code == 200
    assert (answer.json()["route"], answer.json()["path"]) == ("GET /things/{thing_id}", {"thing_id": "7"})


def test_the_more_exact_route_wins(patched: RunningMiniStack, tokens: dict[str, str]) -> None:
    answer = patched.call_api("GET", "/things/special", bearer(tokens["access"]))
    assert answer.json()["route"] == "GET /things/special"


def test_the_function_is_told_who_calls(patched: RunningMiniStack, tokens: dict[str, str]) -> None:
    claims = patched.call_api("GET", "/things/7", bearer(tokens["access"])).json()["claims"]
    assert (claims["token_use"], claims["client_id"]) == ("access", patched.outputs["PoolClientId"])


def test_a_route_with_the_default_authorizer_refuses_no_token_and_a_forged_one(
    patched: RunningMiniStack, tokens: dict[str, str]
) -> None:
    forged = tokens["access"][:-8] + "AAAAAAAA"
    assert patched.call_api("GET", "/things/7").status_code == 401
    assert patched.call_api("GET", "/things/7", bearer(forged)).status_code == 401


def test_scopes_refuse_an_identity_token(patched: RunningMiniStack, tokens: dict[str, str]) -> None:
    assert patched.call_api("GET", "/things/7", bearer(tokens["identity"])).status_code == 403


def test_a_route_with_a_scope_of_its_own_refuses_a_token_without_it(
    patched: RunningMiniStack, tokens: dict[str, str]
) -> None:
    assert patched.call_api("GET", "/admin", bearer(tokens["access"])).status_code == 403


def test_a_route_without_authorization_needs_no_token(patched: RunningMiniStack) -> None:
    answer = patched.call_api("POST", "/open")
    assert (answer.status_code, answer.json()["claims"]) == (200, None)


def test_an_unknown_path_or_method_is_not_found(patched: RunningMiniStack) -> None:
    assert patched.call_api("GET", "/nowhere").status_code == 404
    assert patched.call_api("DELETE", "/open").status_code == 404


def test_a_preflight_request_is_answered_from_the_cors_configuration(patched: RunningMiniStack) -> None:
    allowed = patched.call_api("OPTIONS", "/open", {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    foreign = patched.call_api("OPTIONS", "/open", {"Origin": "https://evil.example"})
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (204, ORIGIN)
    assert foreign.status_code == 403


def test_an_update_changes_the_routes_under_the_same_api_id(patched: RunningMiniStack) -> None:
    template = (PROBES / "template.yaml").read_text()
    parameters = {"CodeBucket": "code", "RecordFolder": str(patched.record_folder)}
    before = patched.outputs["ApiId"]
    try:
        after = patched.deploy("probes", template.replace("/open", "/opened"), **parameters)["ApiId"]
        assert after == before
        assert patched.call_api("POST", "/opened").status_code == 200
        assert patched.call_api("POST", "/open").status_code == 404
    finally:
        patched.deploy("probes", template, **parameters)
    assert patched.call_api("POST", "/open").status_code == 200
    authorizers = patched.client("apigatewayv2").get_authorizers(ApiId=before)["Items"]
    assert [authorizer["Name"] for authorizer in authorizers] == ["Tokens"]


def test_deleting_the_stack_deletes_the_api(patched: RunningMiniStack) -> None:
    template = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties:
      {Runtime: python3.13, Handler: index.handler, InlineCode: "def handler(e, c): return {}",
       Events: {Get: {Type: HttpApi, Properties: {Path: /, Method: GET}}}}
Outputs:
  ApiId: {Value: !Ref ServerlessHttpApi}
"""
    api_id = patched.deploy("short-lived", template)["ApiId"]
    gateway, cloudformation = patched.client("apigatewayv2"), patched.client("cloudformation")
    assert [route["RouteKey"] for route in gateway.get_routes(ApiId=api_id)["Items"]] == ["GET /"]
    cloudformation.delete_stack(StackName="short-lived")
    cloudformation.get_waiter("stack_delete_complete").wait(StackName="short-lived", WaiterConfig={"Delay": 1})
    assert api_id not in {api["ApiId"] for api in gateway.get_apis()["Items"]}


def test_without_the_patch_a_deployed_api_has_no_routes(unpatched: RunningMiniStack) -> None:
    assert unpatched.client("apigatewayv2").get_routes(ApiId=unpatched.outputs["ApiId"])["Items"] == []
    assert unpatched.call_api("POST", "/open").status_code == 404


def workers_of_a_crowd(ministack: RunningMiniStack) -> set[int]:
    """The processes that served 24 requests at once."""
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda _: ministack.call_api("POST", "/open"), range(24)))
    assert {answer.status_code for answer in answers} == {200}
    return {answer.json()["pid"] for answer in answers}


def test_a_crowd_is_served_by_a_few_workers_in_turn(patched: RunningMiniStack) -> None:
    assert len(workers_of_a_crowd(patched)) <= bounded_api.AT_ONCE


def test_without_the_patch_every_request_starts_a_worker(tmp_path: Path) -> None:
    with launched(tmp_path, "bounded_api") as ministack:
        ministack.deploy_probes()
        assert len(workers_of_a_crowd(ministack)) > bounded_api.AT_ONCE
