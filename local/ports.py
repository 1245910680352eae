"""The ports of a running system: chosen by the environment, checked before anything starts."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

from local.errors import LocalError

HOST = "127.0.0.1"
PORT_MAX = 65535


@dataclass(frozen=True)
class _Purpose:
    default: int
    variable: str
    serves: str
    usual_user: str


PURPOSES = {
    "aws": _Purpose(4566, "PARKING_AWS_PORT", "the AWS emulator", "another MiniStack, LocalStack or moto server"),
    "mqtt": _Purpose(8883, "PARKING_MQTT_PORT", "the blockers' MQTT", "an MQTT broker such as mosquitto"),
    "stripe": _Purpose(8420, "PARKING_STRIPE_PORT", "the Stripe emulator", "another localstripe"),
    "sns_record": _Purpose(4570, "PARKING_SNS_RECORD_PORT", "the record of pushed messages", "a LocalStack service"),
    "simulator": _Purpose(
        8890, "PARKING_SIMULATOR_PORT", "the blocker simulator's control", "a development web server"
    ),
}


@dataclass(frozen=True)
class Ports:
    aws: int
    mqtt: int
    stripe: int
    sns_record: int
    simulator: int

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] = os.environ) -> Self:
        """The defaults, each replaced by its environment variable where that is set; LocalError on a bad value."""
        return cls(**{name: _chosen(purpose, variables) for name, purpose in PURPOSES.items()})

    @classmethod
    def free(cls) -> Self:
        """Ports that nobody listens on now: for tests beside a running `make up`."""
        # Held open together, so that the operating system gives five different ones.
        sockets = [socket.create_server((HOST, 0)) for _ in PURPOSES]
        numbers = [held.getsockname()[1] for held in sockets]
        for held in sockets:
            held.close()
        return cls(*numbers)

    def check_free(self) -> None:
        """LocalError that names every busy port, who usually has it, and how to choose another."""
        busy = [field.name for field in fields(self) if not is_free(getattr(self, field.name))]
        if busy:
            lines = [_complaint(PURPOSES[name], getattr(self, name)) for name in busy]
            raise LocalError("\n".join([*lines, "Nothing was started."]))


def _chosen(purpose: _Purpose, variables: Mapping[str, str]) -> int:
    text = variables.get(purpose.variable, str(purpose.default))
    if not (text.isdecimal() and 0 < int(text) <= PORT_MAX):
        raise LocalError(f"{purpose.variable} has to be a port number from 1 to {PORT_MAX}, not {text!r}.")
    return int(text)


def is_free(port: int) -> bool:
    """Whether nobody listens on this port of the loopback interface."""
    try:
        # Python sets SO_REUSEADDR here: a port in TIME_WAIT counts as free, one that is listened on does not.
        with socket.create_server((HOST, port)):
            return True
    except OSError:
        return False


def _complaint(purpose: _Purpose, port: int) -> str:
    return (
        f"Port {port}, wanted for {purpose.serves}, is busy: {purpose.usual_user}, or a system of this project that "
        f"still runs (`make down` ends it). Choose another: {purpose.variable}={min(port + 1000, PORT_MAX)} make up"
    )
