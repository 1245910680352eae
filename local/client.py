"""A typed Python client of the API, made from docs/openapi.json: `python -m local.client` puts it into .local."""

import shutil
import subprocess
from pathlib import Path

from local.errors import LocalError
from local.openapi import DOCUMENT
from local.tools import ROOT, STATE_FOLDER, VENV_SCRIPTS

PACKAGE = "parking_client"
SETTINGS = Path(__file__).with_name("client.yaml")


def generate(folder: Path) -> Path:
    """Write the package into the folder; LocalError where the document says something that has no type."""
    package = folder / PACKAGE
    shutil.rmtree(package, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        VENV_SCRIPTS / "openapi-python-client", "generate", "--path", DOCUMENT, "--output-path", package,
        "--config", SETTINGS, "--meta", "none", "--fail-on-warning",
    ]  # fmt: skip
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalError(f"The client could not be generated:\n{done.stdout}{done.stderr}")
    (package / "py.typed").touch()
    return package


def main() -> None:
    """Write the client."""
    print(f"wrote {generate(STATE_FOLDER / 'client').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
