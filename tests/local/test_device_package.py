"""The device's package as a spot's computer gets it: built, installed into an environment of its own, run, ended."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from local.tools import ROOT, uv
from parking_blocker import FIRMWARE
from parking_blocker.config import load_device

DEVICE = ROOT / "device"
INSTALLED_AT = "/opt/parking-blocker"  # as the unit file says
ENDPOINT = "xxxxxxxx-ats.iot.eu-central-1.amazonaws.com"
SECONDS_MAX = 60


@dataclass(frozen=True)
class Installed:
    """The environment that the unit file calls /opt/parking-blocker, and a configuration folder."""

    environment: Path
    configuration: Path

    @property
    def script(self) -> Path:
        return self.environment / "bin" / "parking-blocker"

    @property
    def shared(self) -> Path:
        return self.environment / "share" / "parking-blocker"

    def variables(self, **more: str) -> dict[str, str]:
        """Nothing of this project's own environment; pins that do not exist, since this computer has none."""
        return {"PATH": os.environ["PATH"], "GPIOZERO_PIN_FACTORY": "mock", **more}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("package")

    def run(*command: str) -> None:
        subprocess.run([uv(), *command], check=True, cwd=folder, timeout=SECONDS_MAX)

    run("build", "--quiet", "--python", sys.executable, "--wheel", "--out-dir", str(folder / "dist"), str(DEVICE))
    (wheel,) = (folder / "dist").glob("*.whl")
    assert wheel.name == f"parking_blocker-{FIRMWARE}-py3-none-any.whl"
    environment, configuration = folder / "opt", folder / "etc"
    run("venv", "--quiet", "--python", sys.executable, str(environment))
    run("pip", "install", "--quiet", "--python", str(environment), f"{wheel}[gpio]")
    configuration.mkdir()
    _make_certificate(configuration)
    example = (environment / "share" / "parking-blocker" / "device.toml").read_text()
    own = example.replace("/var/lib/parking-blocker", ".").replace(ENDPOINT, "localhost").replace("8883", "1")
    (configuration / "device.toml").write_text(own)
    (configuration / "offline_secret").write_text("ab" * 32)
    (configuration / "offline_secret").chmod(0o640)
    return Installed(environment, configuration)


def _make_certificate(folder: Path) -> None:
    """One that vouches for itself, for a broker that nobody reaches."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "blocker-viru-12")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "ca.pem").write_bytes(pem)
    (folder / "certificate.pem").write_bytes(pem)
    (folder / "private_key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )
    )


def test_the_example_is_a_configuration_that_loads(installed: Installed) -> None:
    config = load_device(installed.configuration / "device.toml")
    assert config.pins is not None
    assert (config.keypad, len(config.identity.offline_secrets)) == (Path("/dev/serial0"), 1)
    assert None not in (config.pins.occupied, config.pins.automatic, config.pins.sealed, config.pins.warning)


def test_the_script_runs_on_pins_until_it_is_told_to_end_without_any_network(installed: Installed) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        address = str(installed.configuration / "notify")
        systemd.bind(address)
        systemd.settimeout(SECONDS_MAX)
        process = subprocess.Popen(
            [installed.script, "--config", installed.configuration / "device.toml"],
            env=installed.variables(NOTIFY_SOCKET=address),
        )
        try:
            assert [systemd.recv(64) for _ in range(3)] == [b"READY=1", b"WATCHDOG=1", b"WATCHDOG=1"]
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS_MAX) == 0


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--motor-off"], 0, ""),
        (["--config", "elsewhere.toml"], 2, "parking-blocker: "),
        (["--help"], 0, ""),
    ],
)
def test_the_script_says_by_its_status_how_it_went(
    installed: Installed, arguments: list[str], status: int, says: str
) -> None:
    own = ["--config", str(installed.configuration / "device.toml")]
    done = subprocess.run(
        [installed.script, *own, *arguments],
        env=installed.variables(),
        cwd=installed.configuration,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS_MAX,
    )
    assert (done.returncode, done.stderr[: len(says)]) == (status, says)


def test_a_machine_from_the_factory_finds_the_script_that_fetches_its_certificate(installed: Installed) -> None:
    script = installed.environment / "bin" / "parking-blocker-enrol"
    done = subprocess.run([script, "--help"], capture_output=True, text=True, check=False, timeout=SECONDS_MAX)
    assert done.returncode == 0
    assert "--offline-secret" in done.stdout


def test_the_unit_file_is_one_that_systemd_takes(installed: Installed, tmp_path: Path) -> None:
    unit = (installed.shared / "parking-blocker.service").read_text()
    for line in (
        "Type=notify",
        "WatchdogSec=10",
        "Restart=always",
        "User=parking-blocker",
        "StateDirectory=parking-blocker",
        "WorkingDirectory=%S/parking-blocker",
        "Environment=GPIOZERO_PIN_FACTORY=lgpio",
        *(f"DeviceAllow=char-{kind}" for kind in ("gpiochip rw", "ttyAMA r", "ttyS r", "ttyUSB r", "ttyACM r")),
        "NoNewPrivileges=true",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
    ):
        assert f"\n{line}\n" in unit
    commands = re.findall(r"^Exec\w+=(\S+) ", unit, re.MULTILINE)
    assert commands == [f"{INSTALLED_AT}/bin/parking-blocker"] * 2
    systemd_analyze = shutil.which("systemd-analyze")
    if systemd_analyze:
        here = tmp_path / "parking-blocker.service"
        here.write_text(unit.replace(INSTALLED_AT, str(installed.environment)))
        done = subprocess.run(
            [systemd_analyze, "verify", here], capture_output=True, text=True, check=False, timeout=SECONDS_MAX
        )
        assert (done.returncode, done.stderr) == (0, "")


def test_the_package_asks_for_the_libraries_that_the_tests_run_on() -> None:
    package = tomllib.loads((DEVICE / "pyproject.toml").read_text())["project"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["device"]
    asked_for = [*package["dependencies"], *package["optional-dependencies"]["gpio"]]
    assert set(project) == set(asked_for)
