"""The storage of one machine: files in a folder, which no name and no link can lead out of."""

from __future__ import annotations

import os
import re
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from app.storage import Stored, TooLarge

PIECE_BYTES = 1024 * 1024  # copied at a time
MOST_TRIES = (
    100  # to begin a file in a folder that others remove: each try needs another delete in the same moment
)
_KEY = re.compile(r"([0-9a-f]{2})[0-9a-f-]{34}/[0-9a-f-]{1,64}")
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class FileStorage:
    """A file is ``<root>/<two digits>/<task id>/<name>``: one folder of all runs would be slow to list."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, source: BinaryIO, most: int) -> int:
        unfinished = f"0-{uuid.uuid4()}"  # no attempt has this number
        with self._begun(key, unfinished) as (folder, name, begun):
            try:
                with os.fdopen(begun, "wb") as file:
                    size = _copy(source, file, most)
                    file.flush()
                    os.fsync(file.fileno())
                # Readers see the old file or the new one, never half of one.
                os.replace(unfinished, name, src_dir_fd=folder, dst_dir_fd=folder)
                os.fsync(folder)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(unfinished, dir_fd=folder)
                raise
        return size

    def open(self, key: str) -> BinaryIO:
        with self._folder_of(key) as (folder, name):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if not stat.S_ISREG(found.st_mode):
                raise FileNotFoundError(f"{key!r} is no regular file")
            return regular_file(name, folder)

    def delete(self, key: str) -> None:
        with suppress(FileNotFoundError), self._folder_of(key) as (folder, name):
            os.unlink(name, dir_fd=folder)
        with suppress(OSError):  # not empty
            (self._root / key[:2] / key.partition("/")[0]).rmdir()

    def stored(self) -> Iterator[Stored]:
        now = time.time()
        for folder, _, names in os.walk(self._root):
            for name in names:
                key = f"{Path(folder).name}/{name}"
                if not _KEY.fullmatch(key):
                    continue  # somebody else has put it there
                with suppress(FileNotFoundError):  # deleted meanwhile
                    yield Stored(key, now - os.lstat(f"{folder}/{name}").st_mtime)

    @contextmanager
    def _begun(self, key: str, unfinished: str) -> Iterator[tuple[int, str, int]]:
        """Makes an empty file in the folder of a key; yields the folder, the name of the key's file, and the file.

        A delete may remove the empty folder until the file is in it; then the folder is made again."""
        for left in reversed(range(MOST_TRIES)):
            with ExitStack() as stack:
                try:
                    folder, name = stack.enter_context(self._folder_of(key, make=True))
                    begun = os.open(unfinished, _WRITE, 0o600, dir_fd=folder)
                except FileNotFoundError:
                    if not left or not _KEY.fullmatch(key):
                        raise
                    continue
                yield folder, name, begun
                return

    @contextmanager
    def _folder_of(self, key: str, make: bool = False) -> Iterator[tuple[int, str]]:
        """Opens the folder of a key, step by step and through no link; yields it and the name of the file."""
        found = _KEY.fullmatch(key)
        if not found:
            raise FileNotFoundError(f"{key!r} is no key")
        task_id, _, name = key.partition("/")
        if make:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for part in (found[1], task_id):
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(part, 0o700, dir_fd=folder)
                try:
                    inner = os.open(part, _FOLDER, dir_fd=folder)
                except NotADirectoryError:
                    raise FileNotFoundError(f"{part!r} is a link, or no folder") from None
                os.close(folder)
                folder = inner
            yield folder, name
        finally:
            os.close(folder)


def regular_file(path: str | os.PathLike[str], folder: int | None = None) -> BinaryIO:
    """Opens a file to read it. Raises OSError when it is a link, a folder, a pipe or a device: what a link leads to
    nobody has chosen, and reading a pipe may never end."""
    file = os.fdopen(os.open(path, _READ, dir_fd=folder), "rb")
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(f"{os.fspath(path)!r} is no regular file")


def _copy(source: BinaryIO, file: BinaryIO, most: int) -> int:
    """Copies to the end, which may move meanwhile; returns the bytes. Raises TooLarge."""
    size = 0
    while piece := source.read(min(PIECE_BYTES, most - size + 1)):
        size += len(piece)
        if size > most:
            raise TooLarge
        file.write(piece)
    return size
