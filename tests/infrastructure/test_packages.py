"""What the layers hold: each function's packages and no more, and botocore's models of the services that we call."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

import botocore
import pytest
from botocore.exceptions import BotoCoreError
from botocore.regions import EndpointResolver

ROOT = Path(__file__).parents[2]
DEPENDENCIES = ROOT / "layers" / "dependencies"
ADAPTERS = ROOT / "layers" / "parking" / "parking" / "adapters"
NOT_ON_LAMBDA = {"awscrt", "awsiotsdk", "aws-xray-sdk", "moto", "pytest", "awslambdaric"}


def _names(requirements: str) -> set[str]:
    return {line.partition("==")[0] for line in (DEPENDENCIES / requirements).read_text().splitlines()}


@pytest.fixture(scope="module")
def build() -> ModuleType:
    """layers/dependencies/build.py, which lies in no package because `make` runs it with a bare Python."""
    spec = importlib.util.spec_from_file_location("build", DEPENDENCIES / "build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_stripe_and_what_only_stripe_needs_are_a_layer_of_their_own() -> None:
    assert "stripe" in _names("requirements-stripe.txt")
    assert _names("requirements.txt") & _names("requirements-stripe.txt") == set()


def test_no_layer_holds_what_lambda_must_not_load() -> None:
    assert (_names("requirements.txt") | _names("requirements-stripe.txt")) & NOT_ON_LAMBDA == set()


def test_botocore_keeps_the_models_of_exactly_the_services_that_our_adapters_call(build: ModuleType) -> None:
    sources = "".join(path.read_text() for path in ADAPTERS.rglob("*.py"))
    named = set(re.findall(r'boto3\.client\("([a-z0-9-]+)"', sources))
    assert sources.count("boto3.") == len(re.findall(r"boto3\.client\(", sources)), "a client is made in another way"
    assert named | {"dynamodb"} == build.BOTOCORE_SERVICES


def test_what_is_compiled_is_read_without_a_look_at_its_source_and_is_the_same_each_time(
    build: ModuleType, tmp_path: Path
) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "module.py").write_text("NAME = 'parking'\n")
        build.compile_all(tmp_path / name)
    [one], [other] = ([path.read_bytes() for path in (tmp_path / name).rglob("*.pyc")] for name in ("one", "other"))
    assert one == other
    assert one[4:8] == b"\x01\0\0\0"  # PEP 552: hash-based, and not checked


def test_a_file_that_does_not_compile_ends_the_build(build: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def")
    with pytest.raises(SystemExit, match="do not compile"):
        build.compile_all(tmp_path)


def test_models_of_other_services_and_tests_are_left_out(build: ModuleType, tmp_path: Path) -> None:
    for kept in ("botocore/data/dynamodb", "h3"):
        (tmp_path / kept).mkdir(parents=True)
    (tmp_path / "botocore" / "data" / "endpoints.json").write_text("{}")
    for left_out in ("botocore/data/ec2", "h3/tests", "bin"):
        (tmp_path / left_out).mkdir(parents=True)
    build.prune(tmp_path)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if not any(path.glob("*/"))}
    assert left == {"botocore/data/dynamodb", "botocore/data/endpoints.json", "h3"}


def test_where_our_services_answer_is_as_botocore_says_in_every_region_there_is(
    build: ModuleType, tmp_path: Path
) -> None:
    data, trimmed = Path(botocore.__file__).parent / "data", tmp_path / "botocore" / "data"
    trimmed.mkdir(parents=True)
    shutil.copy(data / "endpoints.json", trimmed)
    for service in build.BOTOCORE_SERVICES:
        shutil.copytree(data / service, trimmed / service)
    build.trim_endpoints(tmp_path)

    whole, left = (json.loads((folder / "endpoints.json").read_text()) for folder in (data, trimmed))
    regions = [*(region for partition in whole["partitions"] for region in partition["regions"]), "eu-new-1", None]
    prefixes = sorted({name for partition in left["partitions"] for name in partition["services"]})
    assert prefixes == ["cognito-idp", "data-ats.iot", "dynamodb", "iot", "secretsmanager", "sns"]
    resolvers = EndpointResolver(whole), EndpointResolver(left)
    for asked in product(prefixes, regions, (False, True), (False, True)):
        said, says = (_resolved(resolver, *asked) for resolver in resolvers)
        assert says == said, asked
    assert len(regions) > 30


def _resolved(resolver: EndpointResolver, prefix: str, region: str | None, dualstack: bool, fips: bool) -> Any:
    try:
        return resolver.construct_endpoint(prefix, region, use_dualstack_endpoint=dualstack, use_fips_endpoint=fips)
    except BotoCoreError as refused:
        return str(refused)
