"""template.yaml as CloudFormation receives it: SAM's transform applied, intrinsic functions left as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TEMPLATE_PATH = Path(__file__).parents[2] / "template.yaml"

Properties = dict[str, Any]


@dataclass(frozen=True)
class Statement:
    """One Allow of a role: what the role may do, and on what."""

    role: str
    actions: tuple[str, ...]
    resources: tuple[Any, ...]


@dataclass(frozen=True)
class Template:
    """The expanded template. Resources are known by their logical ids."""

    resources: dict[str, dict[str, Any]]
    outputs: dict[str, dict[str, Any]]

    def of_type(self, resource_type: str) -> dict[str, Properties]:
        """The properties of every resource of this type; never empty, so that no test passes for want of a subject."""
        found = {
            name: resource["Properties"]
            for name, resource in self.resources.items()
            if resource["Type"] == resource_type
        }
        assert found, f"the template has no {resource_type}"
        return found

    def statements(self) -> Iterator[Statement]:
        """What the inline policies of all roles allow."""
        for role, properties in self.of_type("AWS::IAM::Role").items():
            for policy in properties["Policies"]:
                for statement in policy["PolicyDocument"]["Statement"]:
                    assert statement["Effect"] == "Allow"
                    yield Statement(role, _listed(statement["Action"]), _listed(statement["Resource"]))

    def routes(self) -> dict[tuple[str, str], Properties]:
        """The operations of the HTTP API by method and path."""
        [api] = self.of_type("AWS::ApiGatewayV2::Api").values()
        return {
            (method.upper(), path): operation
            for path, operations in api["Body"]["paths"].items()
            for method, operation in operations.items()
        }


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list) else (value,)


def referred(value: Any) -> str:
    """The logical id that a Ref or Fn::GetAtt points at."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return name
    raise AssertionError(f"not a reference: {value}")


def expand() -> Template:
    """Apply SAM's transform to template.yaml with the parameters' default values."""
    # Here, because importing cfn-lint takes seconds; it ships no type information, hence the ignores.
    from cfnlint.decode import decode
    from cfnlint.template import Template as LintedTemplate

    source, problems = decode(str(TEMPLATE_PATH))
    assert not problems
    template = LintedTemplate(str(TEMPLATE_PATH), source, regions=["eu-central-1"])
    assert not template.transform()
    # Through JSON, because cfn-lint's nodes are strings and dictionaries that also know their line.
    expanded = json.loads(json.dumps(template.template))
    return Template(expanded["Resources"], expanded["Outputs"])
