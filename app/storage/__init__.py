"""Where files of runs are kept: files of a folder. Another ``Storage`` can take its place (app/storage/made.py)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, Protocol


class TooLarge(Exception):
    """The source has more bytes than may be stored."""


class Stored(NamedTuple):
    """``age``: seconds since it was written."""

    key: str
    age: float


class Storage(Protocol):
    """Keeps files by their keys, ``<task id>/<name>`` of hexadecimal digits and hyphens. All methods raise OSError."""

    def put(self, key: str, source: BinaryIO, most: int) -> int:
        """Stores what can be read from the source, as a whole or not at all, in place of what had the key; returns its
        bytes. Raises TooLarge when these are more than ``most``."""

    def open(self, key: str) -> BinaryIO:
        """Opens what has the key, to be read at any place. Raises FileNotFoundError."""

    def delete(self, key: str) -> None:
        """Deletes what has the key, if anything has."""

    def stored(self) -> Iterator[Stored]:
        """Yields all that is stored, also what a process left unfinished that died."""
