"""What goes wrong on a laptop, in words for the person in front of it."""


class LocalError(Exception):
    """The laptop cannot run the system; the message says why and what to do. Exit status 1, no traceback."""
