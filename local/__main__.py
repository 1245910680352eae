"""`python -m local up [--detach]`, `down` and `status`: the whole system on this laptop."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from local.errors import LocalError
from local.ports import Ports
from local.supervisor import Interrupted, Supervisor
from local.tools import STATE_FOLDER

PLAIN_LINE_CHARACTERS = 160


def main() -> int:
    # Without a terminal: plain lines that are not cut, so that a log or a pipe reads well.
    width = None if sys.stdout.isatty() else PLAIN_LINE_CHARACTERS
    console = Console(highlight=False, emoji=False, width=width, soft_wrap=width is not None)
    arguments = _parse()
    supervisor = Supervisor(arguments.folder, console)
    try:
        match arguments.command:
            case "up" if arguments.detach:
                return supervisor.up_detached()
            case "up":
                supervisor.up(Ports.from_environment())
            case "down":
                supervisor.down()
            case "status":
                return supervisor.status()
    except LocalError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    except Interrupted as interrupted:
        console.print("Interrupted: nothing is left running.")
        return interrupted.exit_status
    return 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description="The whole system on this laptop.")
    parser.add_argument("--folder", type=Path, default=STATE_FOLDER, help="where the running system keeps its files")
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start it, and stay until Ctrl-C")
    up.add_argument("--detach", action="store_true", help="return when it is ready; `down` ends it")
    commands.add_parser("down", help="end it")
    commands.add_parser("status", help="say whether it runs, and where")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
