"""What a person has to do something about."""

from __future__ import annotations

import sys
from contextlib import suppress

STATUS = 2  # the exit status of a command that could not do what it should


class Fault(Exception):
    """One line that says what is wrong, and what to do."""


def say(text: str) -> None:
    """Writes one line to stderr; where nobody reads that, nothing."""
    with suppress(OSError, ValueError, AttributeError):  # closed, or not there at all
        sys.stderr.write(f"taskroom: {' '.join(text.split())}\n")
        sys.stderr.flush()
