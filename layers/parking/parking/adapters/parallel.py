"""Several calls at once, for what waits on the network. Clients of AWS and Stripe may be shared by threads."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

WORKERS = 8  # fewer than the tries of a commit and than the connections that a client keeps open (10 each)


def in_parallel[A, B](act: Callable[[A], B], items: Iterable[A], /) -> list[B]:
    """`map`, some items at once. When it returns or raises every thread has ended: Lambda freezes between events."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(act, items))
