"""The sparse index `due`: `due_shard` and `due_at` are absent where nothing is outstanding."""

import zlib

from parking.domain.due import Step

DUE = "due"
DUE_SHARDS = 4  # one index partition takes 1000 writes a second; every schedule reads all shards of its step


def due_shards(step: Step) -> list[str]:
    """Every hash key of the index under which a step may stand."""
    return [f"{step}#{shard}" for shard in range(DUE_SHARDS)]


def due_shard(step: Step, identifier: str) -> str:
    """The one under which this item's step stands."""
    return due_shards(step)[zlib.crc32(identifier.encode()) % DUE_SHARDS]
