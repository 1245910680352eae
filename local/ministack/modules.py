"""The one way into MiniStack's modules.

They live in the emulators' environment, which the project's type checker does not see, so they are imported by name.
"""

from importlib import import_module
from typing import Any


def ministack(module: str) -> Any:
    """A module of MiniStack, without types: patches read and replace its attributes."""
    return import_module(f"ministack.{module}")
