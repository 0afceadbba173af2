"""What is read once for many, and kept for as long as others may ask for the same."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

Key = TypeVar("Key")


class Shared(Protocol):
    bytes: int
    at: float  # since when, by the monotonic clock
    told: bool  # those who waited for it have it; it may be let go of


def let_go(kept: Iterable[tuple[Key, Shared]], total: int, most: int, since: float) -> list[Key]:
    """Of what is kept, the oldest first and of ``total`` bytes: what is from before ``since``, or more than ``most``,
    but nothing that somebody waits for."""
    found = []
    for key, part in kept:
        if total <= most and part.at >= since:
            break
        if part.told:
            total -= part.bytes
            found.append(key)
    return found
