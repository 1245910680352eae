"""How a release is deployed: named after its sources, with the configuration's own parameters beside it."""

import re
from pathlib import Path

from local.tools import ROOT
from operators.deploy import arguments, release_name


def test_the_configurations_parameters_are_said_again_because_the_command_line_replaces_them() -> None:
    samconfig = '[live.deploy.parameters]\nparameter_overrides = ["DeletionProtection=true", "LogRetentionDays=365"]'
    assert arguments(samconfig, "live", "0123456789", ["--guided"]) == [
        "deploy",
        "--config-env",
        "live",
        "--guided",
        "--parameter-overrides",
        "DeletionProtection=true",
        "LogRetentionDays=365",
        "Release=0123456789",
    ]


def test_the_same_sources_are_the_same_release_unless_it_is_wanted_again() -> None:
    names = [release_name(again=False) for _ in range(2)] + [release_name(again=True) for _ in range(2)]
    assert len(set(names)) == 3
    # As the template's parameter allows it; SAM takes the first ten for the version's name.
    assert all(re.fullmatch("[0-9a-f]{10,64}", name) for name in names)


def test_the_live_stack_is_protected_and_deployed_gradually() -> None:
    said = arguments(Path(ROOT, "samconfig.toml").read_text(), "prod", "0123456789", [])
    assert {"DeletionProtection=true", "GradualDeployment=true"} < set(said)
