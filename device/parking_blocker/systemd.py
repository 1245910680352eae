"""What systemd is told of this process: the datagrams of sd_notify(3).

The protocol is one datagram to a socket whose name is in the environment. The packages for it on PyPI are either long
unmaintained or want a C compiler on the spot's computer, for these few lines.
"""

import os
import socket


def notify(state: str) -> None:
    """Say `READY=1`, `WATCHDOG=1` or `STOPPING=1`; nothing happens where systemd did not start this process."""
    address = os.environ.get("NOTIFY_SOCKET")
    if address is None:
        return
    if address.startswith("@"):  # a name in the abstract namespace, unix(7)
        address = f"\0{address[1:]}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to_systemd:
        to_systemd.connect(address)
        to_systemd.sendall(state.encode())
