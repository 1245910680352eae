"""HTTP API routes, authorizers and CORS from the OpenAPI document that SAM puts into `Body`.

Gap: MiniStack's AWS::ApiGatewayV2::Api ignores `Body`, so an API deployed from SAM has no routes at all.
Closed by: wrapping its create, update and delete; every operation of the document becomes an integration and a route,
every security scheme an authorizer. An update swaps routes under the same API id: the new ones are added before the
old ones go.
No longer needed when: test_ministack_http_api.py::test_without_the_patch_a_deployed_api_has_no_routes fails.
"""

import json
from collections.abc import Callable
from typing import Any

from local.ministack.modules import ministack

ANY_METHOD = "x-amazon-apigateway-any-method"
METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", ANY_METHOD})
INTEGRATION_TIMEOUT_MS = 30_000
CREATED = 201

type Document = dict[str, Any]


def authorizers_of(document: Document) -> dict[str, Document]:
    """The JWT and Lambda authorizers that the document declares, by scheme name, as CreateAuthorizer takes them."""
    found = {}
    for name, scheme in document.get("components", {}).get("securitySchemes", {}).items():
        declared = scheme.get("x-amazon-apigateway-authorizer")
        if not declared:
            continue
        source = declared.get("identitySource", "$request.header.Authorization")
        jwt = declared.get("jwtConfiguration", {})
        found[name] = {
            "name": name,
            "authorizerType": declared["type"].upper(),
            "identitySource": [source] if isinstance(source, str) else source,
            "jwtConfiguration": {"issuer": jwt.get("issuer", ""), "audience": jwt.get("audience", [])},
            "authorizerUri": declared.get("authorizerUri", ""),
            "authorizerPayloadFormatVersion": declared.get("authorizerPayloadFormatVersion", "2.0"),
            "authorizerResultTtlInSeconds": declared.get("authorizerResultTtlInSeconds", 0),
            "enableSimpleResponses": declared.get("enableSimpleResponses", False),
        }
    return found


def route_key(path: str, method: str) -> str:
    if path in ("/$default", "$default"):
        return "$default"
    return f"{'ANY' if method == ANY_METHOD else method.upper()} {path}"


def authorization_of(operation: Document, document: Document, authorizers: dict[str, Document]) -> Document:
    """An operation's own `security` beats the document's; an empty list or an unknown scheme means no authorization."""
    for requirement in {"security": [], **document, **operation}["security"]:
        for name, scopes in requirement.items():
            if name in authorizers:
                kind = "JWT" if authorizers[name]["authorizerType"] == "JWT" else "CUSTOM"
                return {
                    "authorizationType": kind,
                    "authorizerId": authorizers[name]["authorizerId"],
                    "authorizationScopes": list(scopes),
                }
    return {"authorizationType": "NONE"}


class HttpApiBody:
    """Carries an API's document into MiniStack's stores of routes, integrations and authorizers."""

    def __init__(self, apigateway: Any) -> None:
        self._service = apigateway

    def _created(self, answer: tuple[int, Document, bytes]) -> Document:
        status, _headers, body = answer
        if status != CREATED:
            raise ValueError(f"AWS::ApiGatewayV2::Api Body was refused: {body!r}")
        result: Document = json.loads(body)
        return result

    def put(self, api_id: str, properties: Document) -> None:
        """Make the API's routes, authorizers and CORS exactly those of the document."""
        document = properties.get("Body")
        if not document:
            return
        stores = (self._service._routes, self._service._integrations, self._service._authorizers)
        replaced = [list(store.get(api_id, {})) for store in stores]
        authorizers = authorizers_of(document)
        for name, wanted in authorizers.items():
            authorizers[name] = self._created(self._service._create_authorizer(api_id, wanted))
        for path, operations in document.get("paths", {}).items():
            for method, operation in operations.items():
                if method in METHODS:
                    self._add_route(
                        api_id, route_key(path, method), operation, authorization_of(operation, document, authorizers)
                    )
        if cors := document.get("x-amazon-apigateway-cors"):
            self._service._update_api(api_id, {"corsConfiguration": dict(cors)})
        elif not properties.get("CorsConfiguration"):
            self._service._delete_cors_configuration(api_id)
        for store, old_ids in zip(stores, replaced, strict=True):
            for old_id in old_ids:
                store[api_id].pop(old_id, None)

    def _add_route(self, api_id: str, key: str, operation: Document, authorization: Document) -> None:
        declared = operation["x-amazon-apigateway-integration"]
        integration = self._created(
            self._service._create_integration(
                api_id,
                {
                    "integrationType": declared["type"].upper(),
                    "integrationUri": declared["uri"],
                    "integrationMethod": declared.get("httpMethod", "POST"),
                    "payloadFormatVersion": declared.get("payloadFormatVersion", "2.0"),
                    "timeoutInMillis": declared.get("timeoutInMillis", INTEGRATION_TIMEOUT_MS),
                },
            )
        )
        target = f"integrations/{integration['integrationId']}"
        self._created(self._service._create_route(api_id, {"routeKey": key, "target": target, **authorization}))

    def forget(self, api_id: str) -> None:
        """MiniStack's delete leaves the authorizers behind."""
        self._service._authorizers.pop(api_id, None)


def apply() -> None:
    body = HttpApiBody(ministack("services.apigateway"))
    handlers = ministack("services.cloudformation.provisioners")._RESOURCE_HANDLERS
    handler = handlers["AWS::ApiGatewayV2::Api"]
    create: Callable[..., tuple[str, Document]] = handler["create"]
    update: Callable[..., tuple[str, Document]] = handler["update"]
    delete: Callable[..., None] = handler["delete"]

    def create_with_body(logical_id: str, properties: Document, stack_name: str) -> tuple[str, Document]:
        api_id, attributes = create(logical_id, properties, stack_name)
        body.put(api_id, properties)
        return api_id, attributes

    def update_with_body(physical_id: str, old: Document, new: Document, *names: str) -> tuple[str, Document]:
        api_id, attributes = update(physical_id, old, new, *names)
        body.put(api_id, new)
        return api_id, attributes

    def delete_with_body(physical_id: str, properties: Document) -> None:
        delete(physical_id, properties)
        body.forget(physical_id)

    handler |= {"create": create_with_body, "update": update_with_body, "delete": delete_with_body}
