"""The child of the launcher: MiniStack with the patches, until the launcher lets go of this process's standard input.

python -m local.ministack.server SNS_RECORD_PORT [PATCH TO LEAVE OFF ...]
"""

import os
import shutil
import signal
import sys
import tempfile
import threading
from importlib import import_module

from local.ministack import patches


def end_with_launcher() -> None:
    """Standard input is a pipe that only the launcher holds, so its end of file means that the launcher is gone."""
    sys.stdin.buffer.read()
    shutil.rmtree(tempfile.gettempdir(), ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    sns_record_port, *left_off = sys.argv[1:]
    os.environ["SNS_RECORD_PORT"] = sns_record_port
    threading.Thread(target=end_with_launcher, name="end-with-launcher", daemon=True).start()
    patches.apply_all(frozenset(left_off))
    sys.argv[1:] = []  # MiniStack reads the same list
    import_module("ministack.app").main()


if __name__ == "__main__":
    main()
