"""What an event that nobody can take is refused with. By itself, because some doors load no form validation."""


class BadInput(Exception):
    """What was sent cannot be taken; the text names each field and the reason."""
