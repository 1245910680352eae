"""What a function loads before its first event, by the packages that its process holds: the budget of its cold start.

No clock: `make bench-cold` measures the milliseconds, and these lists are what keeps them.
"""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"

EVERY_FUNCTION = {"parking", "aws_lambda_powertools", "jmespath", "typing_extensions", "botocore"}
"""Powertools looks whether there is a botocore, which loads its first file and no more."""
FORMS = {"pydantic", "pydantic_core", "annotated_types", "typing_inspection"}
STORE = {"pynamodb", "urllib3", "dateutil", "six"}
"""What takes longest of the store. Who waits for an answer has it loaded before the first one is asked for."""
NOT_IN_A_LAYER = {"awscrt", "_awscrt", "OpenSSL", "_openssl", "cryptography", "_cffi_backend", "certifi", "blinker"}
"""What botocore, urllib3 and PynamoDB take along where it is installed: here for the tests' sake, on Lambda nowhere."""
HTTP = "aws_lambda_powertools.event_handler"

API = {"accounts.api", "spots.api", "reservations.api", "payments.api", "payments.stripe_webhook", "notifications.api"}
WITH_FORMS = {
    "spots.provision",
    "spots.report",
    "blockers.command",
    "blockers.certificate",
    "blockers.admit",
    "payments.reconcile",
}
"""What people send, or the fleet's devices; everything else has events that AWS itself has shaped."""

HANDLERS = sorted(
    ".".join(path.relative_to(FUNCTIONS).with_suffix("").parts)
    for path in FUNCTIONS.glob("*/*.py")
    if "\ndef handler(" in path.read_text() or "\nhandler = " in path.read_text()
)


@cache
def _loaded(handler: str) -> frozenset[str]:
    """Every module that a process holds after it has imported the handler, beside those of a bare interpreter."""
    program = "import sys; bare = set(sys.modules); import json, importlib; importlib.import_module(sys.argv[1])"
    program += "; print(json.dumps(sorted(set(sys.modules) - bare)))"
    variables = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(map(str, (FUNCTIONS, ROOT / "layers" / "parking"))),
        "POWERTOOLS_METRICS_NAMESPACE": "SmartParking",
        "POWERTOOLS_SERVICE_NAME": "smart-parking",
    }
    command = [sys.executable, "-c", program, handler]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=True)
    return frozenset(json.loads(done.stdout))


def _foreign(handler: str) -> set[str]:
    packages = {module.partition(".")[0] for module in _loaded(handler)} - sys.stdlib_module_names
    ours = {entry.stem for entry in FUNCTIONS.iterdir()}
    return {package for package in packages if not package.startswith("_sysconfigdata")} - ours - NOT_IN_A_LAYER


def test_every_function_of_the_template_has_a_budget() -> None:
    template = (ROOT / "template.yaml").read_text()
    assert sorted(re.findall(r"^      Handler: (\S+)\.handler$", template, re.MULTILINE)) == HANDLERS


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_function_loads_the_packages_of_its_kind_and_no_others(handler: str) -> None:
    budget = EVERY_FUNCTION | (FORMS if handler in API | WITH_FORMS else set()) | (STORE if handler in API else set())
    assert _foreign(handler) == budget
    assert any(module.startswith("botocore.") for module in _loaded(handler)) == (handler in API)


@pytest.mark.parametrize("handler", HANDLERS)
def test_only_api_functions_load_the_http_door(handler: str) -> None:
    assert (HTTP in _loaded(handler)) == (handler in API)
