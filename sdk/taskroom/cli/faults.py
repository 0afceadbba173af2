"""What a person has to do something about."""

from __future__ import annotations

from taskroom.stderr import say

__all__ = ["STATUS", "Fault", "say"]

STATUS = 2  # the exit status of a command that could not do what it should


class Fault(Exception):
    """One line that says what is wrong, and what to do."""
