"""Ports are chosen by the environment, and a busy one is said before anything starts."""

import socket
from dataclasses import astuple

import pytest

from local.errors import LocalError
from local.ports import HOST, Ports


def test_the_defaults_are_those_of_the_documentation() -> None:
    assert Ports.from_environment({}) == Ports(aws=4566, mqtt=8883, stripe=8420, sns_record=4570, simulator=8890)


def test_each_port_can_be_chosen() -> None:
    assert Ports.from_environment({"PARKING_MQTT_PORT": "9883"}).mqtt == 9883


@pytest.mark.parametrize("text", ["", "http", "0", "65536", "-1"])
def test_a_bad_port_is_refused_by_name(text: str) -> None:
    with pytest.raises(LocalError, match="PARKING_STRIPE_PORT"):
        Ports.from_environment({"PARKING_STRIPE_PORT": text})


def test_free_ports_differ_and_are_free() -> None:
    ports = Ports.free()
    assert len(set(astuple(ports))) == 5
    ports.check_free()


def test_every_busy_port_is_said_with_its_usual_user_and_the_way_out() -> None:
    with socket.create_server((HOST, 0)) as aws, socket.create_server((HOST, 0)) as mqtt:
        busy = {"PARKING_AWS_PORT": aws.getsockname()[1], "PARKING_MQTT_PORT": mqtt.getsockname()[1]}
        ports = Ports.from_environment({name: str(port) for name, port in busy.items()})
        with pytest.raises(LocalError) as caught:
            ports.check_free()
    for variable, port in busy.items():
        assert f"Port {port}" in str(caught.value)
        assert f"{variable}=" in str(caught.value)
    assert "mosquitto" in str(caught.value)
    assert "Nothing was started." in str(caught.value)
