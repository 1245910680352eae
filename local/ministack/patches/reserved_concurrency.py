"""ReservedConcurrentExecutions from the template.

Gap: MiniStack's AWS::Lambda::Function ignores the property, so a function reserved to one execution runs in parallel.
Closed by: calling MiniStack's PutFunctionConcurrency (or its delete) after it has created or updated a function.
No longer needed when: test_ministack_lambda.py::test_without_the_patch_reserved_concurrency_is_ignored fails.
"""

from typing import Any

from local.ministack.modules import ministack

PROPERTY = "ReservedConcurrentExecutions"


def apply() -> None:
    lambda_svc = ministack("services.lambda_svc")
    handler = ministack("services.cloudformation.provisioners")._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    create, update = handler["create"], handler["update"]

    def reserve(name: str, properties: dict[str, Any]) -> None:
        if PROPERTY in properties:
            lambda_svc._put_function_concurrency(name, {PROPERTY: int(properties[PROPERTY])})
        else:
            lambda_svc._delete_function_concurrency(name)

    def create_reserved(logical_id: str, properties: dict[str, Any], stack_name: str) -> Any:
        name, attributes = create(logical_id, properties, stack_name)
        reserve(name, properties)
        return name, attributes

    def update_reserved(physical_id: str, old: dict[str, Any], new: dict[str, Any], *names: str) -> Any:
        name, attributes = update(physical_id, old, new, *names)
        reserve(name, new)
        return name, attributes

    handler |= {"create": create_reserved, "update": update_reserved}
