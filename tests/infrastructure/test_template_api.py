"""The HTTP API: who passes, how fast, and that its routes are the handlers'."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import timedelta
from importlib import import_module

from parking.domain.closing import LAST_TOKEN_AFTER
from tests.infrastructure.expanded import Properties, Template, called_at, referred

WEBHOOK = ("POST", "/stripe/webhook")
HTTP_METHODS = {"get", "put", "post", "delete", "patch"}


def stage(template: Template) -> Properties:
    [found] = template.of_type("AWS::ApiGatewayV2::Stage").values()
    return found


def function_behind(operation: Properties) -> str:
    return called_at(operation["x-amazon-apigateway-integration"]["uri"])


def test_every_route_but_the_webhook_wants_a_drivers_access_token(template: Template) -> None:
    routes = template.routes()

    assert WEBHOOK in routes
    for route, operation in routes.items():
        expected = [{"NONE": []}] if route == WEBHOOK else [{"Drivers": ["aws.cognito.signin.user.admin"]}]
        assert operation["security"] == expected, route


def test_tokens_are_those_of_our_user_pool_for_our_app(template: Template) -> None:
    [api] = template.of_type("AWS::ApiGatewayV2::Api").values()
    [scheme] = api["Body"]["components"]["securitySchemes"].values()
    authorizer = scheme["x-amazon-apigateway-authorizer"]

    assert authorizer["type"] == "jwt"
    assert "/${UserPool}" in authorizer["jwtConfiguration"]["issuer"]["Fn::Sub"]
    assert [referred(audience) for audience in authorizer["jwtConfiguration"]["audience"]] == ["UserPoolClient"]


def test_the_app_has_no_secret_and_tells_nobody_who_is_registered(template: Template) -> None:
    [client] = template.of_type("AWS::Cognito::UserPoolClient").values()

    assert client["GenerateSecret"] is False
    assert client["PreventUserExistenceErrors"] == "ENABLED"
    assert (client["AccessTokenValidity"], client["TokenValidityUnits"]["AccessToken"]) == (1, "hours")
    assert (client["RefreshTokenValidity"], client["TokenValidityUnits"]["RefreshToken"]) == (30, "days")


def test_the_api_is_throttled(template: Template) -> None:
    settings = stage(template)["DefaultRouteSettings"]

    assert settings["ThrottlingRateLimit"] > 0
    assert settings["ThrottlingBurstLimit"] > 0


def test_what_costs_more_is_throttled_earlier_and_every_throttled_route_exists(template: Template) -> None:
    """What asks Stripe, and what anybody may call without a token."""
    usual = stage(template)["DefaultRouteSettings"]
    throttled = stage(template)["RouteSettings"]
    routes = {f"{method} {path}" for method, path in template.routes()}

    assert throttled.keys() <= routes
    assert throttled.keys() >= {
        "POST /payments",
        "POST /wallet/deposits",
        "POST /wallet/withdrawals",
        "POST /payment-methods/setup",
        "DELETE /payment-methods/{payment_method_id}",
        "POST /stripe/webhook",
        "GET /account/export",
    }
    for route, settings in throttled.items():
        assert 0 < settings["ThrottlingRateLimit"] < usual["ThrottlingRateLimit"], route
        assert settings["ThrottlingRateLimit"] <= settings["ThrottlingBurstLimit"], route


def test_a_drivers_account_has_a_fair_password_and_a_second_factor_for_who_wants_it(template: Template) -> None:
    [pool] = template.of_type("AWS::Cognito::UserPool").values()
    password = pool["Policies"]["PasswordPolicy"]

    assert password["MinimumLength"] >= 10
    assert all(password[f"Require{kind}"] for kind in ("Lowercase", "Uppercase", "Numbers"))
    assert (pool["MfaConfiguration"], pool["EnabledMfas"]) == ("OPTIONAL", ["SOFTWARE_TOKEN_MFA"])


def test_a_closed_account_is_erased_once_more_when_no_token_can_be_alive(template: Template) -> None:
    [client] = template.of_type("AWS::Cognito::UserPoolClient").values()
    assert client["TokenValidityUnits"]["AccessToken"] == "hours"
    token_lives = timedelta(hours=client["AccessTokenValidity"])
    late = template.resources["AccountsEraseEventInvokeConfig"]["Properties"]["MaximumEventAgeInSeconds"]

    assert token_lives + timedelta(seconds=late) < LAST_TOKEN_AFTER


def test_a_signed_out_phones_tokens_can_be_revoked(template: Template) -> None:
    [client] = template.of_type("AWS::Cognito::UserPoolClient").values()

    assert client["EnableTokenRevocation"] is True


def test_the_access_log_is_json_in_a_group_of_its_own_and_holds_no_token(template: Template) -> None:
    settings = stage(template)["AccessLogSettings"]
    fields = json.loads(settings["Format"])

    assert referred(settings["DestinationArn"]) == "HttpApiLogGroup"
    assert {"request_id", "route", "status", "user_id", "latency_ms"} <= fields.keys()
    assert "authorization" not in settings["Format"].lower()


def test_browsers_may_call_from_one_origin_only(template: Template) -> None:
    [api] = template.of_type("AWS::ApiGatewayV2::Api").values()
    cors = api["Body"]["x-amazon-apigateway-cors"]

    assert len(cors["allowOrigins"]) == 1
    assert "*" not in cors["allowOrigins"]
    assert cors["allowHeaders"] == ["authorization", "content-type", "idempotency-key"]


def registered_routes(module_name: str) -> set[tuple[str, str]]:
    """Method and path of every route that the module's resolver knows."""
    paths = import_module(module_name).app.get_openapi_schema().paths or {}
    return {
        (method.upper(), path)
        for path, item in paths.items()
        for method, operation in item
        if method in HTTP_METHODS and operation is not None
    }


def test_the_routes_of_the_template_are_those_of_the_handlers(template: Template) -> None:
    handlers = {name: function["Handler"] for name, function in template.of_type("AWS::Lambda::Function").items()}
    declared: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for route, operation in template.routes().items():
        declared[handlers[function_behind(operation)].removesuffix(".handler")].add(route)

    assert {module: registered_routes(module) for module in declared} == declared
