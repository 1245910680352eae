"""Provision the city's spots and run their blockers: the real device program with simulated hardware."""

import json
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from local import cloud
from local.errors import LocalError
from local.ports import HOST, Ports
from local.processes import Processes
from local.tools import ROOT
from operators.secrets import CERTIFICATE, KEY, OFFLINE_SECRET, keep_certificate

PROVISIONS_AT_ONCE = 4
CONNECT_SECONDS_MAX = 60
CONNECT_POLL_SECONDS = 0.2
TRAVEL_SECONDS = 0.5
MQTT_HOST = "localhost"  # the name in the certificate of the emulator's MQTT listener


def provision(
    processes: Processes, function_name: str, port: int, wishes: Sequence[dict[str, Any]], folder: Path
) -> list[str]:
    """Invoke ProvisionSpot for every wish, keep the certificates in the folder, and return the blocker ids."""
    lambda_client = cloud.client("lambda", cloud.endpoint_url(port))

    def provision_one(wish: dict[str, Any]) -> str:
        processes.check()
        answer = lambda_client.invoke(FunctionName=function_name, Payload=json.dumps(wish).encode())
        provisioned = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise LocalError(f"{wish['spot_id']} could not be provisioned: {provisioned}")
        keep_certificate(provisioned, folder)
        return str(provisioned["blocker_id"])

    with ThreadPoolExecutor(PROVISIONS_AT_ONCE) as pool:
        return list(pool.map(provision_one, wishes))


def simulate(
    processes: Processes, ports: Ports, blocker_ids: Sequence[str], folder: Path, patience_seconds: float = 0.0
) -> None:
    """Connect all blockers over mutual TLS; returns when each is connected.

    `patience_seconds`: how long the sensor has to say VACANT, and how long a motion is warned of. The street's blockers
    have some; who waits for the city's at a laptop wants none.
    """
    authority = httpx.get(f"{cloud.endpoint_url(ports.aws)}/_ministack/iot/ca.pem").raise_for_status().content
    (folder / "ca.pem").write_bytes(authority)
    config = folder / "simulator.toml"
    config.write_text(_simulator_config(ports, blocker_ids, patience_seconds), encoding="utf-8")
    command = [sys.executable, "-m", "parking_blocker.simulator", "--config", config]
    processes.start("blocker simulator", command, cloud.own_variables() | {"PYTHONPATH": str(ROOT / "device")})
    with httpx.Client(base_url=f"http://{HOST}:{ports.simulator}") as control:
        processes.wait_until(
            lambda: _connected(control) == len(blocker_ids),
            f"{len(blocker_ids)} blockers to connect",
            timeout_seconds=CONNECT_SECONDS_MAX,
            poll_seconds=CONNECT_POLL_SECONDS,
        )


def _simulator_config(ports: Ports, blocker_ids: Sequence[str], patience_seconds: float) -> str:
    # A JSON text is a TOML text too, quotes and escapes included.
    head = {"endpoint": MQTT_HOST, "port": ports.mqtt, "ca": "ca.pem"}
    head |= {"travel_seconds": TRAVEL_SECONDS, "control_port": ports.simulator}
    head |= {"vacant_seconds": patience_seconds, "warning_seconds": patience_seconds}
    blockers = [
        {
            "blocker_id": blocker_id,
            "certificate": f"{blocker_id}/{CERTIFICATE}",
            "key": f"{blocker_id}/{KEY}",
            "offline_secret": f"{blocker_id}/{OFFLINE_SECRET}",
        }
        for blocker_id in blocker_ids
    ]
    tables = [_toml(head), *("\n[[blockers]]\n" + _toml(blocker) for blocker in blockers)]
    return "".join(tables)


def _toml(table: dict[str, Any]) -> str:
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in table.items())


def _connected(control: httpx.Client) -> int:
    try:
        connected: int = control.get("/health").raise_for_status().json()["connected"]
    except httpx.HTTPError:
        return 0
    return connected
