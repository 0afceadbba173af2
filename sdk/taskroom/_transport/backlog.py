"""What processes that are gone left in the spool, and its sending."""

from __future__ import annotations

import os
from collections.abc import Iterator

from taskroom._transport.batches import Batch
from taskroom._transport.notices import Notices
from taskroom._transport.segment import Segment
from taskroom._transport.spool import Spool


class Backlog:
    """Batches in the order of their files and numbers. Between ``head`` and the end, or ``release``, this process alone
    sends them: two at once would send the batches of one task out of order."""

    def __init__(self, spool: Spool, notices: Notices) -> None:
        self.torn = 0  # bytes at the ends of files that are no batches
        self._spool, self._notices = spool, notices
        self._lock: int | None = None
        self._files: Iterator[Segment] = iter(())
        self._file: Segment | None = None

    def head(self, wait: bool = False) -> Batch | None:
        """The next batch. None when there is none, or when another process is sending them, unless ``wait`` says to
        wait for it. Never raises."""
        if self._lock is None:
            if not self._spool.has_files():
                return None
            self._lock = self._spool.lock(wait)
            if self._lock is None:
                return None
            self._files = self._spool.left_behind()
        while True:
            if self._file is None:
                self._file = next(self._files, None)
                if self._file is None:
                    self.release()
                    return None
            try:
                batch = self._file.head()
                if batch is not None:
                    return batch
                self._end(self._file)
            except OSError as error:
                self._notices.warn(f"{self._file.path} cannot be read or removed, and is left: {error}")
                self._file.close()
            self._file = None

    def settle(self) -> None:
        """The head is stored, or given up."""
        if self._file is not None:
            self._file.advance()

    def release(self) -> None:
        """Lets other processes send. Also what a forked child calls, whose copies are not locks of its own."""
        if self._file is not None:
            self._file.close()
        if self._lock is not None:
            os.close(self._lock)
        self._lock = self._file = None
        self._files = iter(())

    def _end(self, file: Segment) -> None:
        if file.torn:
            self.torn += file.torn
            self._notices.warn(f"the last {file.torn:,} bytes of {file.path} are no batch, and are given up")
        file.remove()
