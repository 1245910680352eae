"""The API's OpenAPI document, made from the handlers: `python -m local.openapi` writes docs/openapi.json."""

import importlib
import json
import re
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler.openapi.merge import OpenAPIMerge
from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "openapi.json"
DOORS = (
    "spots.api",
    "reservations.api",
    "payments.api",
    "notifications.api",
    "accounts.api",
    "payments.stripe_webhook",
)
SIGNED_BY_STRIPE = "stripe"
OF_A_BODY = (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
"""What the door answers to a body before any handler reads it."""
NOT_OURS = ("HTTPValidationError", "ResponseValidationError", "ValidationError")
"""Powertools gives each route a 422 of its own; our bad requests are 400 problem documents."""


def document() -> dict[str, Any]:
    """The merged document of every API function, which must be importable (functions/ and the layer on the path)."""
    merged = OpenAPIMerge(
        title="Smart parking",
        version="1.0.0",
        description=(ROOT / "docs" / "api" / "introduction.md").read_text(),
        security_schemes={"driver": HTTPBearer(bearerFormat="Cognito access token")},
        security=[{"driver": []}],
        on_conflict="error",
    )
    for name in DOORS:
        app = importlib.import_module(name).app
        merged.add_schema(app.get_openapi_schema().model_dump(by_alias=True, exclude_none=True, mode="json"))
    made: dict[str, Any] = json.loads(merged.get_openapi_json_schema())
    for schema in NOT_OURS:
        made["components"]["schemas"].pop(schema, None)
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            operation["operationId"] = _handler(operation["operationId"], path, method)
            if "requestBody" in operation:
                operation["responses"] |= {str(status.value): _refusal(status) for status in OF_A_BODY}
            if operation["tags"] == [SIGNED_BY_STRIPE]:  # no driver's token; Powertools drops an empty `security`
                operation["security"] = []
                del operation["responses"]["401"]
            if "HTTPValidationError" in json.dumps(operation["responses"].get("422")):
                del operation["responses"]["422"]
    return made


def _handler(operation_id: str, path: str, method: str) -> str:
    """The handler's own name, which generated clients call the operation by; Powertools adds path and method to it."""
    return operation_id.removesuffix(re.sub(r"\W", "_", f"{path}_{method}"))


def _refusal(status: HTTPStatus) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": status.phrase, "content": {"application/problem+json": {"schema": schema}}}


def text() -> str:
    """The document as it is committed."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the document."""
    sys.path[:0] = [str(ROOT / "layers" / "parking"), str(ROOT / "functions")]
    DOCUMENT.write_text(text())
    print(f"wrote {DOCUMENT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
