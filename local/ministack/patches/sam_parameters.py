"""A stack's parameters in SAM's transform.

Gap: MiniStack transforms a SAM template without the values of its parameters. What SAM itself must know, such as
AutoPublishCodeSha256 or whether a deployment is gradual, cannot be a parameter then, and the template is refused.
Closed by: the values that MiniStack resolves for other transforms, handed to this one too.
No longer needed when: test_ministack_sam.py::test_without_the_patch_sam_knows_no_parameter fails.
"""

from contextvars import ContextVar
from importlib import import_module
from typing import Any

from local.ministack.modules import ministack

_values: ContextVar[dict[str, str]] = ContextVar("sam_parameters")


def apply() -> None:
    engine = ministack("services.cloudformation.engine")
    sam: Any = import_module("samtranslator.translator.transform")
    apply_transforms, transform = engine._apply_transforms, sam.transform

    def apply_with_parameters(template: Any, provided: Any = None, previous: Any = None) -> Any:
        token = _values.set(engine._transform_parameters(template, provided, previous))
        try:
            return apply_transforms(template, provided, previous)
        finally:
            _values.reset(token)

    def transform_with_parameters(template: Any, _: Any, policies: Any) -> Any:
        return transform(template, _values.get(), policies)

    sam.transform = transform_with_parameters
    for module in (engine, *(ministack(f"services.cloudformation.{name}") for name in ("changesets", "handlers"))):
        module._apply_transforms = apply_with_parameters
