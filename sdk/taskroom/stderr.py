"""What is said to who has started the process."""

from __future__ import annotations

import sys
from contextlib import suppress


def say(text: str) -> None:
    """Writes one line to stderr; where nobody reads that, nothing."""
    with suppress(OSError, ValueError, AttributeError):  # closed, or not there at all
        sys.stderr.write(f"taskroom: {' '.join(text.split())}\n")
        sys.stderr.flush()
