"""What cfn-lint knows about CloudFormation: types, enumerations, references, circular dependencies, regions."""

from __future__ import annotations

from tests.infrastructure.expanded import TEMPLATE_PATH


def test_cfn_lint_finds_nothing() -> None:
    # Here, because importing cfn-lint takes seconds; it ships no type information, hence the ignore.
    from cfnlint.api import lint_file

    assert [str(match) for match in lint_file(TEMPLATE_PATH)] == []
