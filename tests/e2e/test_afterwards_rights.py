"""After all the other tests: what the roles may do, and what they did, are the same.

MiniStack refuses what is not granted. Here is the other direction, from its record of every right that was used.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pytest

from local.ministack.patches.rights_used import MARK
from tests.e2e.world import World

ASSUMED = re.compile(r"arn:aws:sts::\d+:assumed-role/([^/]+)/.*")
ROLE_MIN, USES_MIN = 20, 200


@dataclass(frozen=True)
class Right:
    """What one role may do on one resource; the role by the template's name."""

    role: str
    action: str
    resource: str

    def covers(self, other: "Right") -> bool:
        """Whether the other one is one of these; each part may be a pattern."""
        return (
            fnmatchcase(other.role, self.role)
            and fnmatchcase(other.action, self.action)
            and fnmatchcase(other.resource, self.resource)
        )


SAME_WORK = (
    ("PaymentsApiRole", "StripeWebhookRole", "PaymentsSettleRefundsRole", "PaymentsSettleDueRole",
     "PaymentsReconcileRole"),
    ("BlockersOnReservationChangeRole", "BlockersOnShadowUpdateRole", "BlockersOnPresenceRole", "PrepareUpcomingRole",
     "BlockersCheckHealthRole", "ReservationsApiRole"),
    ("BlockerCommandRole", "BlockerCertificateRole", "PrepareUpcomingRole"),
    ("NotificationsApiRole", "AccountsEraseRole"),
)  # fmt: skip
"""Who calls the same use case: `settle`, `reconcile`, what a spot out of service needs, `forget_device`. Which of them
meets its rare ends is chance (late money comes by webhook or by schedule): a right is used when one has used it."""

EXPLAINED: dict[Right, str] = {
    Right("*", "sqs:SendMessage", "*"): "Lambda and AWS IoT fill the failure queues; MiniStack does so unasked",
    Right("FleetProvisioningRole", "*", "*"): "AWS IoT acts in this role; MiniStack asks for few of its actions",
    Right("*", "iot:A*Principal", "*:cert/?"): "AWS asks for the certificate and the thing, MiniStack for the thing",
    Right("*", "iot:D*Principal", "*:cert/?"): "likewise",
    Right("*", "iot:DeleteConnection", "*"): "MiniStack cannot end a connection",
    Right("*", "sns:Publish", "*:endpoint/?"): "so AWS names a phone; MiniStack names it app/...",
    Right("BlockersAdmitRole", "dynamodb:ConditionCheckItem", "*"): "a machine with a certificate gets the next one: "
    "tests/unit/test_certificates.py::test_a_device_that_has_one_gets_the_next_beside_it",
}
"""What is granted and was not seen in use, and why it is granted all the same."""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.fixture(scope="module")
def granted(world: World) -> set[Right]:
    """The rights of all roles as they were deployed, without AWS's own policies for logs, traces and streams."""
    iam = world.stack.client("iam")
    rights = set()
    for logical_id, role in world.roles.items():
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            for statement in iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"]:
                rights |= {
                    Right(logical_id, action, resource)
                    for action in _listed(statement["Action"])
                    for resource in _listed(statement["Resource"])
                }
    return rights


@pytest.fixture(scope="module")
def used(world: World) -> set[Right]:
    """The rights that MiniStack saw in use."""
    logical_ids = {role: logical_id for logical_id, role in world.roles.items()}
    lines = (world.stack.folder / "logs" / "MiniStack.log").read_text(errors="replace").splitlines()
    uses = [json.loads(line.removeprefix(MARK)) for line in lines if line.startswith(MARK)]
    return {
        Right(logical_ids[match[1]], use["action"], use["resource"])
        for use in uses
        if (match := ASSUMED.fullmatch(use["principal"])) and match[1] in logical_ids
    }


def unused(granted: Iterable[Right], used: Iterable[Right]) -> set[Right]:
    """The rights that neither their role has used, nor one that does the same work."""

    def is_used(right: Right) -> bool:
        mates = {right.role, *(mate for family in SAME_WORK if right.role in family for mate in family)}
        return any(Right(mate, right.action, right.resource).covers(use) for mate in mates for use in used)

    return {right for right in granted if not is_used(right)}


def test_no_role_may_do_what_nothing_does(granted: set[Right], used: set[Right]) -> None:
    assert len({use.role for use in used}) >= ROLE_MIN
    assert len(used) >= USES_MIN
    left = unused(granted, used)
    assert sorted(map(str, (one for one in left if not any(reason.covers(one) for reason in EXPLAINED)))) == []


def test_every_explanation_is_still_needed(granted: set[Right], used: set[Right]) -> None:
    left = unused(granted, used)
    assert [reason for reason in EXPLAINED if not any(reason.covers(right) for right in left)] == []


def test_nothing_was_done_that_is_not_granted(granted: set[Right], used: set[Right]) -> None:
    """MiniStack's enforcement once more, by our own eyes."""
    assert sorted(map(str, (use for use in used if not any(right.covers(use) for right in granted)))) == []
