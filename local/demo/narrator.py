"""Tells the story on the screen, and stops it where the world is not as told."""

from collections.abc import Callable

from rich.console import Console, RenderableType
from rich.padding import Padding

from local.errors import LocalError
from local.waiting import wait_until

WAIT_SECONDS_MAX = 30
INDENT = 4


class Unexpected(Exception):
    """The world is not as the story says."""

    def __init__(self, what: str, *, expected: object, came: object) -> None:
        super().__init__(f"{what}\n  expected: {expected}\n  came:     {came}")


class Narrator:
    """Numbered steps; in each what was asked, what was answered, and what is different in the world now."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.steps = 0

    def act(self, title: str) -> None:
        """A part of the story begins."""
        self._console.print()
        self._console.rule(title, align="left", style="cyan", characters="─")

    def step(self, title: str) -> None:
        """The next step begins."""
        self.steps += 1
        self._console.print()
        self._line(f"{self.steps:2}  {title}", "bold")

    def asks(self, text: str) -> None:
        """What somebody asks of the system, or does in the street."""
        self._line(f"    → {text}", "cyan")

    def answers(self, text: str) -> None:
        """What the answer says."""
        self._line(f"    ← {text}", "yellow")

    def sees[T](self, what: str, came: T, *, expected: T, shown: Callable[[T], object] = str) -> None:
        """A fact of the world, checked. Raises Unexpected."""
        if came != expected:
            raise Unexpected(what, expected=shown(expected), came=shown(came))
        self._line(f"    ✓ {what}: {shown(came)}", "green")

    def awaits[T](self, what: str, look: Callable[[], T], *, expected: T, shown: Callable[[T], object] = str) -> None:
        """A fact that comes about by itself soon: looks until it is there. Raises Unexpected at the deadline."""
        looks: list[T] = []

        def as_expected() -> bool:
            looks.append(look())
            return looks[-1] == expected

        try:
            wait_until(as_expected, what, timeout_seconds=WAIT_SECONDS_MAX)
        except LocalError as late:
            raise Unexpected(
                f"{what} (waited {WAIT_SECONDS_MAX} s)", expected=shown(expected), came=shown(looks[-1])
            ) from late
        self.sees(what, looks[-1], expected=expected, shown=shown)

    def shows(self, shown: RenderableType) -> None:
        """A table or a text of its own."""
        self._console.print(Padding(shown, (0, 0, 0, INDENT), expand=False))

    def _line(self, text: str, style: str) -> None:
        # The terminal wraps; a file gets the whole line.
        self._console.print(text, style=style, markup=False, soft_wrap=True)
