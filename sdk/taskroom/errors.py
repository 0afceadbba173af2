"""What reports raise in the code of a run. None is an Exception, so that ``except Exception`` does not swallow it."""

from __future__ import annotations


class TaskCancelled(BaseException):
    """Raised by phase, track and log once somebody has cancelled the task."""


class AttemptSuperseded(BaseException):
    """Raised like TaskCancelled when another attempt has taken over: all that this one still reports is refused."""


class Suspended(BaseException):
    """Base of what ends an attempt whose code goes on later: the open phases stay open."""
