"""Install a layer's packages, leave out what no function loads, and compile the rest: `make` runs it for `sam build`.

Lambda's code folder is read-only, so what is not compiled here is compiled again at every cold start. The compiled
files say "unchecked": Python neither compares times, which differ after unzipping, nor reads the sources.

    python3.13 build.py REQUIREMENTS TARGET
"""

import compileall
import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

BOTOCORE_SERVICES = frozenset({"cognito-idp", "dynamodb", "iot", "iot-data", "secretsmanager", "sns"})
"""The services that our adapters speak to; botocore brings the models of some 400 (70 percent of all bytes)."""


def install(requirements: Path, target: Path) -> None:
    """Exactly the wheels of Lambda's platform, whatever machine builds."""
    platform = ["--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_28_x86_64", "--only-binary", ":all:"]
    version = ["--implementation", "cp", "--python-version", "3.13", "--no-deps", "--no-compile"]
    quiet = ["--quiet", "--disable-pip-version-check", "--no-warn-conflicts"]
    pip = [sys.executable, "-m", "pip", "install", *quiet, *platform, *version]
    subprocess.run([*pip, "--requirement", requirements, "--target", target], check=True)


def prune(target: Path) -> None:
    """Leave out models of other services and what only a person or a package manager reads."""
    for service in (target / "botocore" / "data").glob("*/"):
        if service.name not in BOTOCORE_SERVICES:
            shutil.rmtree(service)
    for folder in (*target.glob("bin"), *target.glob("include"), *target.glob("lib64"), *target.rglob("tests")):
        shutil.rmtree(folder)


def trim_endpoints(target: Path) -> None:
    """Leave out where other services answer: botocore reads all 1.2 MB of it for the first client of a session.

    Partitions, their regions and their defaults stay, so our services resolve as before wherever there is a region.
    """
    for path in target.glob("botocore/data/endpoints.json"):
        models = [
            json.loads(gzip.decompress(model.read_bytes())) for model in path.parent.glob("*/*/service-2.json.gz")
        ]
        ours = {model["metadata"]["endpointPrefix"] for model in models}
        endpoints = json.loads(path.read_text())
        for partition in endpoints["partitions"]:
            partition["services"] = {name: said for name, said in partition["services"].items() if name in ours}
        path.write_text(json.dumps(endpoints))


def compile_all(target: Path) -> None:
    """Raises SystemExit for a file that does not compile."""
    mode = PycInvalidationMode.UNCHECKED_HASH
    # The paths in tracebacks are those on Lambda, so the same sources give the same bytes on every machine.
    if not compileall.compile_dir(target, quiet=1, stripdir=target, prependdir="/opt/python", invalidation_mode=mode):
        raise SystemExit(f"{target} has files that do not compile")


if __name__ == "__main__":
    requirements, target = map(Path, sys.argv[1:])
    install(requirements, target)
    prune(target)
    trim_endpoints(target)
    compile_all(target)
