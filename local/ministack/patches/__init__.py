"""What MiniStack's pinned version lacks, one module per gap.

Each module has `apply()`, which changes MiniStack in memory, and a docstring that names the gap, what closes it and
the test that fails when a new MiniStack makes the module unnecessary.
"""

from importlib import import_module

PATCH_NAMES = (
    "loopback_only",
    "sam_parameters",
    "http_api_routes",
    "stream_failures",
    "bounded_async",
    "bounded_api",
    "log_marker",
    "layer_cache",
    "reserved_concurrency",
    "local_index_fetch",
    "read_conditions",
    "sns_recorder",
    "rights_used",
    "login_time",
)


def apply_all(left_off: frozenset[str]) -> None:
    """Apply every patch except those named, in order, before MiniStack starts to serve."""
    for name in PATCH_NAMES:
        if name not in left_off:
            import_module(f"{__name__}.{name}").apply()
