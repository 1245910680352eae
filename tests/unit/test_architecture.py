"""The arrows of the design, section 2, read from the imports of the code itself."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARKING = ROOT / "layers" / "parking" / "parking"
FUNCTIONS = ROOT / "functions"
DEVICE = ROOT / "device"

FUNCTION_PACKAGES = frozenset(entry.name for entry in FUNCTIONS.iterdir() if (entry / "__init__.py").exists())
OURS = FUNCTION_PACKAGES | {"parking", "parking_blocker"}
DRIVERS = frozenset({"pynamodb", "boto3", "botocore", "stripe", "h3"})
"""Libraries that speak to the outside world or know a storage format."""
DEVICE_SDK = frozenset({"awscrt", "awsiot", "gpiozero"})

MAY_IMPORT = {
    "functions": ("functions", "parking.door", "parking.wiring", "parking.services", "parking.domain"),
    "parking.door": ("parking.door", "parking.wiring", "parking.services", "parking.domain"),
    "parking.wiring": ("parking.door", "parking.adapters", "parking.services.ports", "parking.domain"),
    "parking.adapters": ("parking.adapters", "parking.services.ports", "parking.domain"),
    "parking.services": ("parking.services", "parking.domain"),
    "parking.domain": ("parking.domain",),
    "device": ("device",),
}
"""Which parts of the house each part may know; "parking.door" is what the handlers share (http.py, settings.py, …)."""

CLOCKS = frozenset(
    {
        "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns",
        "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.localtime", "time.gmtime",
    }
)  # fmt: skip


def _files(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


PRODUCTION = _files(PARKING, FUNCTIONS, DEVICE)
CLOUD = _files(PARKING, FUNCTIONS)


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _imports(tree: ast.AST) -> set[str]:
    """Every module that a file imports; `from parking import wiring` counts as parking.wiring."""
    found = set[str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            bare = node.level or module in ("parking", "parking.services", "parking.adapters", "parking.domain")
            found |= {f"{module}.{alias.name}" for alias in node.names} if bare else {module}
            assert node.level == 0, "a relative import hides which part of the house it reaches"
    return found


def _part(module: str) -> str:
    """The part of the house that one of our modules belongs to."""
    names = module.split(".")
    if names[0] in FUNCTION_PACKAGES:
        return "functions"
    if names[0] == "parking_blocker":
        return "device"
    if len(names) > 1 and names[1] in ("domain", "services", "adapters", "wiring"):
        return ".".join(names[:2])
    return "parking.door"


def _module(path: Path) -> str:
    root = next(folder for folder in (PARKING.parent, FUNCTIONS, DEVICE) if path.is_relative_to(folder))
    return ".".join(path.relative_to(root).with_suffix("").parts)


def _allowed(module: str, by: str) -> bool:
    return any(_part(module) == name or module == name or module.startswith(f"{name}.") for name in MAY_IMPORT[by])


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _clock_reads(tree: ast.AST) -> list[str]:
    """The calls that read a clock, by whatever prefix: datetime.now(), datetime.datetime.now()…"""
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    dotted = [ast.unparse(call) for call in calls if isinstance(call, ast.Attribute)]
    named = {
        alias.asname or alias.name: f"time.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "time"
        for alias in node.names
    }
    dotted += [named[call.id] for call in calls if isinstance(call, ast.Name) and call.id in named]
    return [name for name in dotted if ".".join(name.split(".")[-2:]) in CLOCKS]


@pytest.mark.parametrize("path", PRODUCTION, ids=_named)
def test_imports_point_only_the_way_the_design_allows(path: Path) -> None:
    by = _part(_module(path))
    ours = {module for module in _imports(_parse(path)) if module.split(".")[0] in OURS}
    assert {module for module in ours if not _allowed(module, by)} == set()


@pytest.mark.parametrize("path", _files(PARKING / "domain"), ids=_named)
def test_the_domain_knows_the_standard_library_and_itself_only(path: Path) -> None:
    foreign = {module.split(".")[0] for module in _imports(_parse(path))} - {"parking"}
    assert foreign <= sys.stdlib_module_names


@pytest.mark.parametrize("path", _files(PARKING / "services"), ids=_named)
def test_use_cases_need_no_third_party_package(path: Path) -> None:
    foreign = {module.split(".")[0] for module in _imports(_parse(path))} - {"parking"}
    assert foreign <= sys.stdlib_module_names


@pytest.mark.parametrize("path", [path for path in CLOUD if "adapters" not in path.parts], ids=_named)
def test_only_adapters_know_the_libraries_of_the_outside_world(path: Path) -> None:
    assert {module.split(".")[0] for module in _imports(_parse(path))} & DRIVERS == set()


@pytest.mark.parametrize("path", CLOUD, ids=_named)
def test_the_device_sdk_stays_out_of_the_cloud(path: Path) -> None:
    assert {module.split(".")[0] for module in _imports(_parse(path))} & DEVICE_SDK == set()


# A direct invocation brings no time of its own, so it is given the clock's: above the layers, in one place.
INVOCATION = FUNCTIONS / "invocation.py"


@pytest.mark.parametrize("path", [path for path in CLOUD if path != INVOCATION], ids=_named)
def test_no_clock_is_read_because_time_comes_with_the_event(path: Path) -> None:
    assert _clock_reads(_parse(path)) == []


@pytest.mark.parametrize("path", PRODUCTION, ids=_named)
def test_production_code_has_no_assert(path: Path) -> None:
    assert [node.lineno for node in ast.walk(_parse(path)) if isinstance(node, ast.Assert)] == []


@pytest.mark.parametrize("path", CLOUD, ids=_named)
def test_nothing_scans_a_table(path: Path) -> None:
    calls = [node.func for node in ast.walk(_parse(path)) if isinstance(node, ast.Call)]
    names = [call.attr for call in calls if isinstance(call, ast.Attribute)]
    assert [name for name in names if "scan" in name.lower()] == []


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("import datetime\ndatetime.datetime.now(datetime.UTC)", ["datetime.datetime.now"]),
        ("from datetime import datetime, date\ndatetime.utcnow(); date.today()", ["datetime.utcnow", "date.today"]),
        ("from time import time as t\nt()", ["time.time"]),
        ("import time\ntime.sleep(1); time.monotonic()", ["time.monotonic"]),
        ("from datetime import datetime\ndatetime.fromisoformat('2026-01-01')", []),
        ("def f(now):\n    return spot.now", []),
    ],
)
def test_the_search_for_clocks_finds_each_spelling(source: str, reads: list[str]) -> None:
    assert sorted(_clock_reads(ast.parse(source))) == sorted(reads)


@pytest.mark.parametrize(
    ("by", "module", "allowed"),
    [
        ("functions", "parking.services.bookings", True),
        ("functions", "parking.wiring", True),
        ("functions", "parking.adapters.memory", False),
        ("functions", "parking_blocker.contract", False),
        ("parking.services", "parking.adapters.memory.store", False),
        ("parking.services", "parking.wiring", False),
        ("parking.domain", "parking.services.ports", False),
        ("parking.adapters", "parking.services.ports", True),
        ("parking.adapters", "parking.services.bookings", False),
        ("parking.wiring", "parking.adapters.dynamodb.store", True),
        ("device", "parking.domain.blocker", False),
    ],
)
def test_the_arrows_are_read_as_the_design_draws_them(by: str, module: str, allowed: bool) -> None:
    assert _allowed(module, by) is allowed


def test_every_part_of_the_house_is_looked_at() -> None:
    assert {_part(_module(path)) for path in PRODUCTION} == set(MAY_IMPORT)
