"""Makes lines of the bytes that a command writes."""

from __future__ import annotations

from taskroom.limits import LINE_LIMIT
from taskroom.texts import clean, cut

MOST = 4 * LINE_LIMIT  # bytes of an unfinished line that are kept: as many characters as a line has, in UTF-8


class Splitter:
    """Takes pieces of one stream. A progress bar, which goes back to the beginning of its line (``\\r``), becomes one
    line in its last state. Empty lines are none."""

    def __init__(self) -> None:
        self._rest = b""  # of a line that has not ended
        self._dropped = 0  # bytes of it that are not kept
        self._skips = False  # the beginning of the present line is not known

    def split(self, data: bytes) -> list[str]:
        """The lines that end in ``data``."""
        first, newline, others = data.partition(b"\n")
        if not newline:
            self._keep(first)
            return []
        self._keep(first)
        found = [self._finished()]
        if others:
            *whole, rest = others.split(b"\n")
            found += [_line(line) if line else "" for line in whole]
            self._keep(rest)
        return [line for line in found if line]

    def state(self) -> str:
        """The state of a progress bar whose line has not ended; empty where there is none."""
        return _line(self._rest) if b"\r" in self._rest and not self._dropped else ""

    def gap(self) -> list[str]:
        """What comes next does not follow: returns the line that had begun, if any."""
        found = self._finished()
        self._skips = True
        return [found] if found else []

    def finish(self) -> list[str]:
        """The line that has no end, if any."""
        found = self._finished()
        return [found] if found else []

    def _keep(self, data: bytes) -> None:
        if self._skips:
            return
        self._rest += data
        if len(self._rest) > MOST and b"\r" in self._rest:
            self._rest, self._dropped = _last_state(self._rest), 0
        if len(self._rest) > MOST:
            self._dropped += len(self._rest) - MOST
            self._rest = self._rest[:MOST]

    def _finished(self) -> str:
        line, dropped = self._rest, self._dropped
        skipped, self._skips = self._skips, False
        self._rest, self._dropped = b"", 0
        if skipped:
            return ""
        if not dropped:
            return _line(line)
        marker = f"… [cut: {len(line) + dropped:,} bytes in all]"
        return _text(line)[: LINE_LIMIT - len(marker)] + marker


def _line(line: bytes) -> str:
    if b"\r" in line:
        line = _last_state(line)
    return cut(_text(line), LINE_LIMIT)


def _text(line: bytes) -> str:
    return clean(line.decode("utf-8", "replace"))


def _last_state(line: bytes) -> bytes:
    """What a terminal would show in the end: each ``\\r`` begins the line again."""
    return next((part for part in reversed(line.split(b"\r")) if part), b"")
