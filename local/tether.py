"""Run a command that cannot outlive whoever started it: `python tether.py COMMAND ...`, standard input a pipe.

The command gets a process group of its own. When this process is told to stop, or when its standard input ends (the
operating system closes the pipe of a starter that was killed), the group is asked to end and then made to. Works
wherever POSIX does; Linux's parent-death signal would not on a Mac.
"""

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from types import FrameType

GRACE_SECONDS = 3


def stop_on_signal(signal_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + signal_number)


def stop_with_starter() -> None:
    # Not sys.stdin: Python could not close it at exit while this thread still reads.
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signal_number, stop_on_signal)
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)
    threading.Thread(target=stop_with_starter, daemon=True).start()
    try:
        return command.wait()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if command.poll() is None:
            command.terminate()
            with suppress(subprocess.TimeoutExpired):
                command.wait(GRACE_SECONDS)
        # What the command itself left behind; its group lives as long as one member does.
        with suppress(ProcessLookupError):
            os.killpg(command.pid, signal.SIGKILL)
        command.wait()


if __name__ == "__main__":
    sys.exit(main())
