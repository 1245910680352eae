"""A broken invariant."""


class Violation(BaseException):
    """`number` is that of the design's list (section 8). No `except Exception` of the code under test may catch it."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(f"invariant {number}: {what}")
        self.number = number
        self.what = what
