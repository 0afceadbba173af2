"""Texts of exceptions that a job's code raises: making them runs that code again, which may raise anything."""

from __future__ import annotations

import traceback


def reason(error: BaseException) -> str:
    """The exception's text, or the name of its class when it has no text or making it fails."""
    kind = type(error).__name__
    try:
        return str(error) or kind
    except BaseException as problem:  # an attempt must be ended, whatever its exception does
        return f"{kind} (its text could not be made: {type(problem).__name__})"


def formatted(error: BaseException) -> str:
    """The traceback, as far as it can be made."""
    try:
        return "".join(traceback.format_exception(error))
    except BaseException as problem:
        frames = "".join(traceback.format_tb(error.__traceback__))
        return f"{frames}{type(error).__name__} (not shown: {type(problem).__name__})\n"
