"""Texts as events hold them, and those of exceptions: making these runs code of others, which may raise anything."""

from __future__ import annotations

import traceback
from types import TracebackType


def clean(text: str) -> str:
    """The text without NUL and lone surrogates, which no server can store."""
    return text.encode("utf-8", "replace").decode().replace("\0", "\ufffd")


def cut(text: str, limit: int) -> str:
    """The text, or its first characters and a marker that tells how many there were: at most ``limit`` with the marker,
    so that no server cuts it again."""
    if len(text) <= limit:
        return text
    marker = f"… [cut: {len(text):,} characters in all]"
    return text[: limit - len(marker)] + marker


def cut_before(text: str, limit: int) -> str:
    """The text, or a marker and its last characters, which name the error in a traceback."""
    if len(text) <= limit:
        return text
    marker = f"… [cut: {len(text):,} characters in all]\n"
    return marker + text[len(marker) - limit :]


def reason(error: BaseException) -> str:
    """The exception's text, or the name of its class when it has no text or making it fails."""
    kind = type(error).__name__
    try:
        return str(error) or kind
    except BaseException as problem:  # an attempt must be ended, whatever its exception does
        return f"{kind} (its text could not be made: {type(problem).__name__})"


def formatted(error: BaseException, trace: TracebackType | None = None) -> str:
    """The traceback, or ``trace`` in its place, as far as it can be made."""
    trace = trace or error.__traceback__
    try:
        return "".join(traceback.format_exception(type(error), error, trace))
    except BaseException as problem:
        frames = "".join(traceback.format_tb(trace))
        return f"{frames}{type(error).__name__} (not shown: {type(problem).__name__})\n"
