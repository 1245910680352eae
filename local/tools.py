"""The tools that the laptop needs, where they are, and what to do when one is missing."""

import os
import shutil
import subprocess
from pathlib import Path

from local.errors import LocalError

ROOT = Path(__file__).resolve().parent.parent
STATE_FOLDER = ROOT / ".local"
VENV_SCRIPTS = ROOT / ".venv" / "bin"
EMULATORS_PROJECT = ROOT / "local" / "emulators"


def uv() -> Path:
    """uv from PATH, or the one that the Makefile put under .local/uv; LocalError when there is neither."""
    found = shutil.which("uv", path=os.pathsep.join([os.environ.get("PATH", ""), str(STATE_FOLDER / "uv" / "bin")]))
    if found is None:
        raise LocalError("uv was not found: run `make install`, which also installs it under .local/uv.")
    return Path(found)


def sam() -> Path:
    """The SAM CLI of the project's own environment; LocalError when it is not installed."""
    path = VENV_SCRIPTS / "sam"
    if not path.exists():
        raise LocalError("The SAM CLI is not in .venv: run `make install`.")
    return path


def emulator_python() -> Path:
    """The interpreter of the emulators' environment."""
    return environment(EMULATORS_PROJECT, "emulators")


def environment(project: Path, name: str, *options: str) -> Path:
    """Install a project's environment as locked (nothing to do: well under a second) and return its interpreter."""
    folder = STATE_FOLDER / name
    command = [str(uv()), "sync", "--quiet", "--locked", "--project", str(project), *options]
    variables = os.environ | {"UV_PROJECT_ENVIRONMENT": str(folder)}
    # uv warns about an active environment that is not the one it fills.
    variables.pop("VIRTUAL_ENV", None)
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalError(f"The {name} could not be installed ({' '.join(command)}):\n{done.stderr.strip()}")
    return folder / "bin" / "python"
