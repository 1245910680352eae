"""Whatever fits the document or breaks it: no failure of ours, and no answer that the document does not know.

`make test` asks each operation a few times beyond schemathesis's fixed cases; `make fuzz` asks 300 times and more.
"""

import os
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from local.drivers import Driver
from tests.conftest import SAYS
from tests.e2e.fuzzing import FUZZED, Run, fuzz
from tests.e2e.openapi import operations
from tests.e2e.owned import one_of_everything
from tests.e2e.stays import act, now, reserve
from tests.e2e.world import World, utc

CASES = int(os.environ.get("FUZZ_CASES", "5"))
FIXED_SEED = 20_260_131
FIXED_AND_CHANCE, CHANCE_ONLY = "coverage,fuzzing", "fuzzing"
PUBLIC = {one.name for one in operations() if one.is_public}
INSIDE = ("Traceback", 'File "', "/python/", "pydantic", "botocore", "dynamodb", "errorType", "Exception", "lambda")
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def things(world: World, rich: Driver) -> dict[str, str]:
    """What the driver has, so that requests reach what lies behind a 404."""
    spot = world.spot_without_machine()
    ids = one_of_everything(world, rich, spot).ids
    held = reserve(rich, spot, begins_in=5 * HOUR)
    cancelled = act(rich, reserve(rich, spot, begins_in=8 * HOUR), "cancellation")
    return {
        "spot": spot.spot_id,
        "held": held["reservation_id"],
        "confirmed": ids["reservation_id"],
        "cancelled": cancelled["reservation_id"],
        "payment": ids["payment_id"],
        "card": ids["payment_method_id"],
        "notice": ids["notification_id"],
        "phone": ids["device_id"],
        "begins": utc(now() + 24 * HOUR),
        "ends": utc(now() + 25 * HOUR),
    }


@pytest.fixture(scope="module")
def rich(world: World) -> Driver:
    """All runs share the driver: nothing that one leaves may break another."""
    return world.driver(50_000)


@pytest.fixture(scope="module")
def fixed(world: World, rich: Driver, things: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run that is the same every time."""
    folder = tmp_path_factory.mktemp("fixed")
    return fuzz(
        world.stack, folder, things, cases=CASES, seed=FIXED_SEED, phases=FIXED_AND_CHANCE, token=rich.access_token
    )


def judged(run: Run) -> Run:
    """The run, when schemathesis found nothing, asked each operation often enough, and nothing tells of our inside."""
    assert run.passed, run.said
    assert {name: run.drawn[name] for name in FUZZED if run.drawn[name] < CASES} == {}
    assert [one for one in run.exchanges if any(word in one.answer for word in INSIDE)] == []
    return run


def counts(run: Run) -> str:
    """What the run was, for the record."""
    fewest = min(run.drawn[name] for name in FUZZED)
    return f"{len(run.exchanges)} requests to {len(FUZZED)} operations, {fewest} or more of them by chance to each"


def test_no_answer_breaks_the_document(fixed: Run, record_property: Callable[[str, object], None]) -> None:
    record_property(SAYS, f"fuzz: {counts(judged(fixed))}")


def test_a_token_opens_every_route(fixed: Run) -> None:
    """Else the run without one would prove nothing."""
    opened = {one.operation for one in fixed.exchanges if one.status != 401}
    assert opened >= FUZZED


def test_each_wrong_field_is_refused_by_its_name(fixed: Run) -> None:
    wrong = [one for one in fixed.exchanges if one.wrong and one.status == 400]
    assert len(wrong) > 400
    assert [one for one in wrong if one.wrong not in {name.partition(".")[0] for name in one.named}] == []


def test_no_answer_breaks_the_document_whatever_chance_asks(
    world: World,
    rich: Driver,
    things: dict[str, str],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    seed = random.randrange(2**31)  # noqa: S311  # not for secrets
    record_property(SAYS, f"fuzz: seed {seed}")
    judged(fuzz(world.stack, tmp_path, things, cases=CASES, seed=seed, phases=CHANCE_ONLY, token=rich.access_token))


def test_nothing_that_is_sent_opens_a_route_without_a_token(
    world: World, things: dict[str, str], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    run = fuzz(world.stack, tmp_path, things, cases=CASES, seed=FIXED_SEED, phases=CHANCE_ONLY, token=None)
    record_property(SAYS, f"fuzz without a token: {counts(judged(run))}")
    opened = [one for one in run.exchanges if one.operation not in PUBLIC and one.status != 401]
    assert opened == []
