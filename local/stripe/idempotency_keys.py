"""What is known about each Idempotency-Key (https://docs.stripe.com/api/idempotent_requests).

Keys live as long as the process: Stripe keeps them for at least 24 hours, an emulator is younger.
"""

from dataclasses import dataclass
from typing import Literal

KEY_CHARACTERS_MAX = 255


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


type Verdict = Literal["new", "in_flight", "other_parameters"] | Answer


@dataclass
class _Use:
    parameters: str
    answer: Answer | None


class IdempotencyKeys:
    """One entry for each (account, key): in flight while it has no answer, replayed afterwards."""

    def __init__(self) -> None:
        self._uses: dict[tuple[str, str], _Use] = {}

    def claim(self, account: str, key: str, parameters: str) -> Verdict:
        """Say whether to execute the request ("new": the key is now in flight), refuse it, or replay an answer."""
        use = self._uses.get((account, key))
        if use is None:
            self._uses[account, key] = _Use(parameters, answer=None)
            return "new"
        if use.parameters != parameters:
            return "other_parameters"
        return use.answer or "in_flight"

    def keep(self, account: str, key: str, answer: Answer) -> None:
        """Store the answer of a claimed key: every later request with the same parameters gets it."""
        self._uses[account, key].answer = answer

    def release(self, account: str, key: str) -> None:
        """Forget a claimed key whose request never began to execute, so that it can be tried again."""
        del self._uses[account, key]
