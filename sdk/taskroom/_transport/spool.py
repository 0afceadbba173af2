"""The folder in which batches wait while their server is away."""

from __future__ import annotations

import errno
import os
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from taskroom._transport import locks
from taskroom._transport.batches import Batch
from taskroom._transport.notices import Notices
from taskroom._transport.segment import Segment, UnknownFormat, record_size
from taskroom._transport.settings import Settings

SUFFIX = ".spool"
TRIES = 3
FULL = "spool full"


class Spool:
    """``settings.spool`` is its folder. Where nothing can be kept this is said once, and ``write`` refuses."""

    def __init__(self, settings: Settings, notices: Notices, other_keys: bool = False) -> None:
        """With ``other_keys`` what was said with another key of the same server is found too."""
        self._settings, self._notices, self._other_keys = settings, notices, other_keys
        self._folder = settings.spool if locks.available else None

    def write(self, segment: Segment | None, batch: Batch) -> Segment | None:
        """Appends the batch, to a new file unless one is given, and returns the file; None when the batch cannot be
        kept. Never raises."""
        if self._folder is None or not self._has_room(record_size(batch)):
            return None
        made = segment is None
        try:
            if segment is None:
                segment = self._create(self._folder)
            segment.append(batch)
        except (OSError, ValueError) as error:
            if made and segment is not None:
                segment.remove()
            self._cannot(error)
            return None
        return segment

    def left_behind(self) -> Iterator[Segment]:
        """The files for this server and key whose processes are gone, the oldest first; each is the caller's to close
        or remove. Never raises."""
        for segment in self._all_left():
            if segment.torn or (self._is_here(segment) and (self._is_of_key(segment) or self._other_keys)):
                yield segment
            else:
                segment.close()

    def has_left_behind(self) -> bool:
        """Whether there are files for this server and key whose processes are gone. Never raises."""
        for segment in self.left_behind():
            segment.close()
            return True
        return False

    def events_of_other_keys(self) -> int:
        """How many events for this server, of processes that are gone, were said with other keys. Never raises."""
        count = 0
        for segment in self._all_left():
            with suppress(OSError), closing(segment):  # who sends the file says so
                while self._is_here(segment) and not self._is_of_key(segment) and (batch := segment.head()):
                    count += batch.events
                    segment.advance()
        return count

    def _all_left(self) -> Iterator[Segment]:
        """The files of processes that are gone, also those for other servers."""
        for path in self._files():
            try:
                segment = Segment.open(path)
            except UnknownFormat as error:
                self._notices.once(f"format {path}", f"{path} is left as it is: its format is {error}")
                continue
            except (OSError, ValueError) as error:
                if not isinstance(error, FileNotFoundError):
                    self._notices.once(f"read {path}", f"{path} cannot be read: {error}")
                continue
            if segment is not None:
                yield segment

    def lock(self, wait: bool = False) -> int | None:
        """The descriptor of the lock of who sends what others left behind; None when another process is at it, or when
        there is no spool."""
        if self._folder is None or not self._folder.is_dir():
            return None
        try:
            fd = os.open(self._folder / "sending.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:  # on a disk that is read-only, say: then nothing could be removed either
            return None
        try:
            if wait:
                locks.wait_for_lock(fd)
            elif not locks.try_lock(fd):
                os.close(fd)
                return None
        except OSError:
            os.close(fd)
            return None
        return fd

    def has_files(self) -> bool:
        return next(iter(self._files()), None) is not None

    def _create(self, folder: Path) -> Segment:
        _make(folder)
        header = {"url": self._settings.url, "key": self._settings.key_name}
        for n in range(TRIES):
            # By the time of their making files are sent in the order in which their processes needed them.
            path = folder / f"{time.time_ns():020d}-{uuid.uuid4()}{SUFFIX}"
            try:
                return Segment.create(path, header)
            except BlockingIOError:
                if n == TRIES - 1:
                    raise
        raise AssertionError("not reached")

    def _is_here(self, segment: Segment) -> bool:
        return bool(segment.header.get("url") == self._settings.url)

    def _is_of_key(self, segment: Segment) -> bool:
        """What was said with another key is perhaps another tenant's."""
        return bool(segment.header.get("key") == self._settings.key_name)

    def _files(self) -> list[Path]:
        if self._folder is None:
            return []
        try:
            return sorted(path for path in self._folder.iterdir() if path.suffix == SUFFIX)
        except OSError:
            return []

    def _has_room(self, size: int) -> bool:
        taken = 0
        for path in self._files():
            try:
                taken += path.stat().st_size
            except OSError:
                continue
        most = self._settings.limits.spool_bytes
        if taken + size <= most:
            if taken < 0.9 * most:
                self._notices.forget(FULL)
            return True
        self._notices.once(FULL, f"the spool {self._folder} is full: what does not fit is dropped")
        return False

    def _cannot(self, error: Exception) -> None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            self._notices.once("disk", f"the disk of the spool {self._folder} is full: {error}")
        else:
            self._notices.once("spool", f"nothing can be kept in the spool {self._folder}: {error}")


def _make(folder: Path) -> None:
    """Makes the folder, and what is missing above it, for this user alone. Raises OSError."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir(mode=0o700, exist_ok=True)
    if not missing and folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
