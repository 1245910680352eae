"""Plants a bug: a few words of one function's source are replaced while the block lasts."""

import importlib
import inspect
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

_HOUSES = ("parking", "parking_blocker", "tests.simulation")


@dataclass(frozen=True, slots=True)
class Planted:
    """A small, realistic mistake: in the function `where` ("module:name" or "module:Class.name") `old` becomes `new`.

    `unit_test` names the test that finds it where the simulation cannot.
    """

    name: str
    where: str
    old: str
    new: str
    unit_test: str = ""


@contextmanager
def planted(bug: Planted) -> Iterator[None]:
    """The code under test, with the bug in it. Raises AssertionError where the words do not stand there once."""
    module_name, _, path = bug.where.partition(":")
    module = importlib.import_module(module_name)
    *classes, name = path.split(".")
    owner: Any = module
    for part in classes:
        owner = getattr(owner, part)
    sound = inspect.getattr_static(owner, name)
    broken = _broken(bug, module, name, sound)
    places = [(owner, name)] if classes else list(_places(sound))
    for place, known_as in places:
        setattr(place, known_as, broken)
    try:
        yield
    finally:
        for place, known_as in places:
            setattr(place, known_as, sound)


def _broken(bug: Planted, module: ModuleType, name: str, sound: Any) -> Any:
    function: Any = sound.fget if isinstance(sound, property) else sound
    source = textwrap.dedent(inspect.getsource(function))
    count = source.count(bug.old)
    assert count == 1, f"{bug.name}: the words stand {count} times in {bug.where}:\n{source}"
    made: dict[str, Any] = {}
    # The globals are the module's own, so that the function sees what its neighbours see.
    exec(compile(source.replace(bug.old, bug.new), f"<{bug.name}>", "exec"), vars(module), made)  # noqa: S102 - ours
    return made[name]


def _places(sound: Any) -> Iterator[tuple[ModuleType, str]]:
    """Every module of ours that has the function under some name."""
    for module_name, module in list(sys.modules.items()):
        if module_name.split(".")[0] in _HOUSES or module_name.startswith(_HOUSES):
            for known_as, value in list(vars(module).items()):
                if value is sound:
                    yield module, known_as
