"""`python -m operators.deploy CONFIG`: build, and deploy as a release that is named after what it was built from.

The name is what makes a new version of each function: SAM sees when a function's own folder has changed, but not when a
layer has, in which almost all of our code is. The same sources are the same release, and nothing happens.
"""

import subprocess  # nosec B404 - it starts the SAM CLI, which has no library to call
import sys
import time
import tomllib
from hashlib import sha256
from pathlib import Path

from local.deployment import source_fingerprint
from local.tools import ROOT, sam

AGAIN = "--again"


def arguments(samconfig: str, config: str, release: str, more: list[str]) -> list[str]:
    """How `sam deploy` is called. What the command line says replaces the configuration's list, so that is repeated."""
    kept = tomllib.loads(samconfig)[config]["deploy"]["parameters"].get("parameter_overrides", [])
    return ["deploy", "--config-env", config, *more, "--parameter-overrides", *kept, f"Release={release}"]


def release_name(*, again: bool) -> str:
    """Of these sources; `again` makes a new one, so that new processes begin that read a rotated secret."""
    sources = source_fingerprint(ROOT)
    return sha256(f"{sources} {time.time()}".encode()).hexdigest() if again else sources


def main(config: str, *more: str) -> int:
    """Build and deploy; but for --again, more arguments go to `sam deploy`, such as --guided."""
    samconfig = Path(ROOT, "samconfig.toml").read_text(encoding="utf-8")
    release = release_name(again=AGAIN in more)
    deploy = arguments(samconfig, config, release, [one for one in more if one != AGAIN])
    for command in (["build", "--config-env", config], deploy):
        own: list[str] = [str(sam()), *command]
        if code := subprocess.run(own, cwd=ROOT, check=False).returncode:  # noqa: S603  # nosec B603 - an operator's words
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:] or ["default"]))
