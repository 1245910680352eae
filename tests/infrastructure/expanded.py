"""template.yaml as CloudFormation receives it: SAM's transform applied, intrinsic functions left as they are.

`python -m tests.infrastructure.expanded FILE` writes it down, for a scanner.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TEMPLATE_PATH = Path(__file__).parents[2] / "template.yaml"
ALIAS = "Aliaslive"
"""How SAM ends the logical id of the alias `live` of each function."""

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


def called(value: Any) -> str:
    """The logical id of the function that somebody calls; it has to be through the alias, which can be taken back."""
    return _function_of(referred(value))


def called_at(uri: dict[str, str]) -> str:
    """The same of a route's integration."""
    return _function_of(uri["Fn::Sub"].partition("functions/${")[2].partition("}")[0])


def _function_of(alias: str) -> str:
    assert alias.endswith(ALIAS), f"{alias} is no alias"
    return alias.removesuffix(ALIAS)


def decoded() -> dict[str, Any]:
    """template.yaml as it was written: what SAM reads and leaves nothing of."""
    # Here, because importing cfn-lint takes seconds; it ships no type information, hence the ignores.
    from cfnlint.decode import decode

    source, problems = decode(str(TEMPLATE_PATH))
    assert not problems
    # Through JSON, because cfn-lint's nodes are strings and dictionaries that also know their line.
    written: dict[str, Any] = json.loads(json.dumps(source))
    return written


def expand() -> Template:
    """Apply SAM's transform to template.yaml with the parameters' default values."""
    from cfnlint.template import Template as LintedTemplate

    template = LintedTemplate(str(TEMPLATE_PATH), decoded(), regions=["eu-central-1"])
    assert not template.transform()
    expanded = json.loads(json.dumps(template.template))
    return Template(expanded["Resources"], expanded["Outputs"])


if __name__ == "__main__":
    expanded_template = expand()
    Path(sys.argv[1]).write_text(
        json.dumps({"Resources": expanded_template.resources, "Outputs": expanded_template.outputs})
    )
