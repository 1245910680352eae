"""What `sam build` made: ours and the two yardsticks, and what of it one function sees on Lambda."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from samcli.yamlhelper import yaml_parse

from local import deployment
from local.cloud import own_variables
from local.processes import Processes
from local.tools import ROOT, STATE_FOLDER, sam

YARDSTICKS = Path(__file__).parent / "yardsticks"
YARDSTICKS_FOLDER = STATE_FOLDER / "cold-yardsticks"
DEPENDENCIES = ROOT / "layers" / "dependencies"


@dataclass(frozen=True)
class Function:
    """One function as it was built. `path` is where Python looks: the code, then each layer."""

    name: str
    handler: str
    folder: Path
    path: tuple[Path, ...]
    variables: dict[str, str]
    has_http: bool


def ours(processes: Processes) -> list[Function]:
    """The functions of template.yaml."""
    with deployment.only_build(processes):
        deployment.build(processes, port=0)
    return _functions(ROOT / ".aws-sam" / "build")


def yardsticks(processes: Processes) -> list[Function]:
    """(a) and (b): plain builds, with every package of both our layers in the same versions."""
    shutil.rmtree(YARDSTICKS_FOLDER, ignore_errors=True)
    shutil.copytree(YARDSTICKS, YARDSTICKS_FOLDER)
    texts = [path.read_text() for path in sorted(DEPENDENCIES.glob("requirements*.txt"))]
    (YARDSTICKS_FOLDER / "plain" / "requirements.txt").write_text("".join(texts))
    variables = own_variables() | {"SAM_CLI_TELEMETRY": "0"}
    variables["PATH"] = f"{Path(sys.base_prefix) / 'bin'}:{variables['PATH']}"
    template, target = YARDSTICKS_FOLDER / "template.yaml", YARDSTICKS_FOLDER / "built"
    command = [sam(), "build", "--template-file", template, "--build-dir", target, "--base-dir", YARDSTICKS_FOLDER]
    processes.run("sam build of the yardsticks", command, variables)
    return _functions(target)


def _functions(folder: Path) -> list[Function]:
    template = yaml_parse((folder / "template.yaml").read_text())
    shared = template.get("Globals", {}).get("Function", {})
    # What the deployment would fill in does not matter here, as long as no two tables have one name.
    said = {"SPOTS_TABLE": None} | shared.get("Environment", {}).get("Variables", {})
    variables = {name: value if isinstance(value, str) else name.lower() for name, value in said.items()}
    found = []
    for name, resource in template["Resources"].items():
        if resource["Type"] != "AWS::Serverless::Function":
            continue
        own = resource["Properties"]
        code = folder / own["CodeUri"]
        layers = [*shared.get("Layers", []), *own.get("Layers", [])]
        path = (code, *(folder / layer["Ref"] / "python" for layer in layers))
        kinds = {event["Type"] for event in own.get("Events", {}).values()}
        found.append(Function(name, own["Handler"], code, path, variables, "HttpApi" in kinds))
    return found
