"""Which of the granted rights are used, for a test that wants no others to be granted.

Gap: MiniStack refuses what a role may not do, and forgets what it did: nobody can see a right that nothing needs.
Closed by: a line in MiniStack's log at the first use of each right, as IAM was asked (transactions item by item):
    RIGHT USED {"principal": ARN, "action": "dynamodb:GetItem", "resource": ARN}
No longer needed when: test_ministack_rights.py::test_without_the_patch_nobody_is_told_which_rights_are_used fails.
"""

import json
from typing import Any

from local.ministack.modules import ministack

MARK = "RIGHT USED "


def apply() -> None:
    evaluator = ministack("core.iam_evaluator")
    evaluate = evaluator.evaluate
    told: set[tuple[str, str, str]] = set()

    def evaluate_and_tell(context: Any, *policies: Any) -> Any:
        result = evaluate(context, *policies)
        use = (context.principal_arn, context.action, context.resource_arn)
        if result.decision == "Allow" and use not in told:
            told.add(use)
            print(MARK + json.dumps(dict(zip(("principal", "action", "resource"), use, strict=True))), flush=True)
        return result

    evaluator.evaluate = evaluate_and_tell
