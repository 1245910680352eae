"""Build template.yaml and deploy it on the emulator, with the SAM CLI, as on AWS."""

import fcntl
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import cloud
from local.processes import Processes
from local.tools import ROOT, STATE_FOLDER, sam

BUILT_FROM = ROOT / ".aws-sam" / "built-from.sha256"

type Outputs = dict[str, str]


def build(processes: Processes, port: int) -> None:
    """`sam build`, unless the last one was made of exactly these files: it takes seconds even from its own cache."""
    fingerprint = source_fingerprint(ROOT)
    if BUILT_FROM.exists() and BUILT_FROM.read_text() == fingerprint:
        return
    BUILT_FROM.unlink(missing_ok=True)
    variables = cloud.tool_variables(port)
    # The build looks on PATH for the runtime's interpreter and wants pip beside it; a uv environment has none.
    variables["PATH"] = f"{Path(sys.base_prefix) / 'bin'}:{variables['PATH']}"
    processes.run("sam build", [sam(), "build", "--config-env", "local"], variables)
    BUILT_FROM.write_text(fingerprint)


def source_fingerprint(root: Path) -> str:
    """The same for the same contents of everything that goes into a build."""
    files = [root / name for name in ("template.yaml", "samconfig.toml")]
    for folder in ("functions", "layers"):
        files += [path for path in (root / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(files):
        digest.update(json.dumps([str(path.relative_to(root)), path.stat().st_size]).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def deploy(processes: Processes, port: int, stripe_api_base: str) -> Outputs:
    """`sam deploy` of the last build; returns the stack's outputs."""
    processes.run(
        "sam deploy",
        [
            sam(),
            "deploy",
            "--config-env",
            "local",
            "--no-progressbar",
            "--parameter-overrides",
            f"StripeApiBase={stripe_api_base}",
            f"Release={BUILT_FROM.read_text()}",
        ],
        cloud.tool_variables(port),
    )
    cloudformation = cloud.client("cloudformation", cloud.endpoint_url(port))
    described = cloudformation.describe_stacks(StackName=cloud.STACK_NAME)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}


@contextmanager
def only_build(processes: Processes) -> Iterator[None]:
    """Hold the build folder, which every system of this project folder shares, until the deployment has read it."""
    STATE_FOLDER.mkdir(exist_ok=True)
    with (STATE_FOLDER / "build.lock").open("w") as lock:
        processes.wait_until(lambda: _locked(lock.fileno()), "another build in this folder", timeout_seconds=600)
        yield


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
