"""Texts of whatever task code hands over: making them runs its code, which may raise anything."""

from __future__ import annotations

import traceback


def reason(error: BaseException) -> str:
    """What the exception says, or the name of its class when it says nothing or cannot."""
    kind = type(error).__name__
    try:
        return str(error) or kind
    except BaseException as problem:  # a report must not end the attempt without its end
        return f"{kind} (its text could not be made: {type(problem).__name__})"


def formatted(error: BaseException) -> str:
    """The traceback."""
    try:
        return "".join(traceback.format_exception(error))
    except BaseException as problem:
        frames = "".join(traceback.format_tb(error.__traceback__))
        return f"{frames}{type(error).__name__} (not shown: {type(problem).__name__})\n"
