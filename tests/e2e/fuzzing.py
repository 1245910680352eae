"""Requests that schemathesis makes from docs/openapi.json, right and wrong ones, and what the API answered to each."""

import base64
import json
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from local.stack import Stack
from tests.e2e.openapi import DOCUMENT, operations
from tests.e2e.world import Json

CONFIG = Path(__file__).with_name("fuzz.toml")
HOOKS = Path(__file__).with_name("fuzz_hooks.py")
RUN_SECONDS_MAX = 1200
LAST_WORDS = [one.name for one in operations() if one.method == "DELETE" and not one.in_place("path")]
"""What deletes without naming a thing deletes the driver who asks, and with it the run: it is not asked."""
FUZZED = {one.name for one in operations()} - set(LAST_WORDS)


@dataclass(frozen=True)
class Exchange:
    """A request and its answer. `wrong` names the one field that was made wrong on purpose, where it is one.

    `by_chance` is a case that was drawn: none of the fixed ones, and none that a check sent once more to compare.
    """

    operation: str
    status: int
    answer: str
    wrong: str | None
    by_chance: bool

    @property
    def named(self) -> list[str]:
        """The fields that the answer names."""
        return [error["field"] for error in json.loads(self.answer).get("errors") or []]


@dataclass(frozen=True)
class Run:
    """What schemathesis said at its end, and everything that was exchanged."""

    passed: bool
    said: str
    exchanges: list[Exchange]

    @property
    def drawn(self) -> Counter[str]:
        """How many cases each operation got by chance."""
        return Counter(one.operation for one in self.exchanges if one.by_chance)


def fuzz(
    stack: Stack, folder: Path, things: dict[str, str], *, cases: int, seed: int, phases: str, token: str | None
) -> Run:
    """Ask every operation `cases` times beyond the fixed ones of the phase `coverage`. `things` are fuzz.toml's."""
    report, config = folder / "exchanges.ndjson", folder / "schemathesis.toml"
    config.write_text(Template(CONFIG.read_text()).substitute(things, hooks=HOOKS))
    command: list[str | Path | int] = [
        Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run", DOCUMENT,
        "--url", stack.api_url, "--phases", phases, "--max-examples", cases, "--seed", seed,
        "--report", "ndjson", "--report-ndjson-path", report, "--workers", 2,
    ]  # fmt: skip
    for name in LAST_WORDS:
        command += ["--exclude-name", name]
    if token:
        command += ["--header", f"Authorization: Bearer {token}"]
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        check=False,
    )
    assert report.exists(), done.stdout + done.stderr
    with report.open() as lines:
        return Run(done.returncode == 0, done.stdout, [one for line in lines for one in _exchanges(json.loads(line))])


def _exchanges(event: Json) -> list[Exchange]:
    recorder = event.get("ScenarioFinished", {}).get("recorder", {})
    return [
        _exchange(recorder["label"], recorder["cases"][case_id], interaction["response"])
        for case_id, interaction in recorder.get("interactions", {}).items()
    ]


def _exchange(operation: str, recorded: Json, response: Json) -> Exchange:
    path = operation.partition(" ")[2]
    case = recorded["value"]
    answer = base64.b64decode((response.get("content") or {}).get("$base64", "")).decode()
    by_chance = "parent_id" not in recorded and case["meta"]["phase"]["name"] == "fuzzing"
    return Exchange(f"{case['method']} {path}", response["status_code"], answer, _wrong(case["meta"]), by_chance)


def _wrong(meta: Any) -> str | None:
    """The field, if it is the only one that is wrong: so it is in the fixed cases, where chance has no part."""
    data = meta["phase"]["data"]
    if (meta["phase"]["name"], meta["generation"]["mode"]) != ("coverage", "negative"):
        return None
    if data.get("parameter") in (None, "Authorization", "Content-Type"):
        return None
    place = data.get("location", "").split("/")
    if data["parameter_location"] != "body":
        return str(data["parameter"])
    return place[2] if place[1:2] == ["properties"] else None
