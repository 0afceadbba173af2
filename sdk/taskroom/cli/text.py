"""Texts for a terminal: of others, so they must not move its cursor; and in columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

# ASCII control characters become their symbols; other controls, line separators and direction marks become U+FFFD.
_SHOWN: dict[int, int] = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"},
    **dict.fromkeys((*range(0x80, 0xA0), *range(0x2028, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
    0x7F: 0x2421,
}
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def harmless(text: str) -> str:
    """The text with symbols in place of what a terminal would obey."""
    return text.translate(_SHOWN)


def one_line(text: str | None) -> str:
    """The text as harmless and as one line."""
    return harmless(" ".join((text or "").split()))


def error_text(error: Mapping[str, Any]) -> str:
    """Why a run or an attempt ended, in one line: once where type and message say the same."""
    kind, message = one_line(error.get("type")), one_line(error.get("message"))
    if message.rstrip(".").casefold() in ("", kind.casefold()):
        return kind
    return f"{kind}: {message}" if kind else message


def is_retry(event: Mapping[str, Any]) -> bool:
    """Whether the status of a run says that an attempt is followed by another one; else it changes other fields."""
    return event.get("status") == "RETRY" and "retry_count" in event


def retry_text(event: Mapping[str, Any]) -> str:
    """What follows an attempt that is tried again, and why."""
    seconds, error = event.get("retry_in_seconds"), event.get("error")
    after = f" in {duration(seconds)}" if seconds else ""
    why = f": {error_text(error)}" if error else ""
    return f"attempt {(event.get('retry_count') or 0) + 1} follows{after}{why}"


def columns_of(text: str) -> int:
    """How many columns of a terminal the text takes."""
    return sum(_columns(character) for character in text)


def fitted(text: str, columns: int) -> str:
    """The text in exactly so many columns: cut, or filled with spaces."""
    taken = columns_of(text)
    if taken > columns:
        kept, taken = "", 0
        for character in text:
            if taken + _columns(character) > columns - 1:
                break
            kept, taken = kept + character, taken + _columns(character)
        text, taken = kept + "…", taken + 1
    return text + " " * (columns - taken)


def moment(stamp: str) -> datetime:
    """The time of an event. Raises ValueError."""
    at = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    return at if at.tzinfo else at.replace(tzinfo=timezone.utc)


def seconds_between(begin: str, end: str) -> float:
    return (moment(end) - moment(begin)).total_seconds()


def duration(seconds: float) -> str:
    """A length of time in at most two units: ``1.5s``, ``12s``, ``3m 12s``, ``2d 4h``."""
    if seconds < 10:
        return f"{max(0.0, seconds):.1f}s"
    whole = int(seconds)
    for (unit, size), (smaller, part) in zip(_UNITS, _UNITS[1:]):
        if whole >= size:
            return f"{whole // size}{unit} {whole % size // part}{smaller}"
    return f"{whole}s"


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
