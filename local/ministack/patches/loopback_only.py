"""The MQTT listener on the loopback interface only.

Gap: MiniStack binds its MQTT port to every interface, whatever BIND_HOST says, so a laptop would offer it to its
network.
Closed by: sending every wildcard bind of the event loop to BIND_HOST, which the launcher sets.
No longer needed when: test_ministack_launcher.py::test_without_the_patch_mqtt_listens_on_every_interface fails.
"""

import os
from asyncio import Server, base_events
from typing import Any

WILDCARD = "0.0.0.0"  # noqa: S104 - what is being replaced


def apply() -> None:
    create_server = base_events.BaseEventLoop.create_server

    async def create_loopback_server(
        loop: base_events.BaseEventLoop, protocol_factory: Any, host: Any = None, *rest: Any, **named: Any
    ) -> Server:
        bound = os.environ["BIND_HOST"] if host == WILDCARD else host
        return await create_server(loop, protocol_factory, bound, *rest, **named)

    setattr(base_events.BaseEventLoop, "create_server", create_loopback_server)  # noqa: B010 - mypy forbids assigning a method
