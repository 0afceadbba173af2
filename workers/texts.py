"""Texts of whatever task code hands over: making them runs its code, which may raise anything."""

from __future__ import annotations


def reason(error: BaseException) -> str:
    """What the exception says, or the name of its class when it says nothing or cannot."""
    kind = type(error).__name__
    try:
        return str(error) or kind
    except BaseException as problem:  # a report must not end the attempt without its end
        return f"{kind} (its text could not be made: {type(problem).__name__})"
