"""Finding and reading files below a folder that people may name, without trusting what lies there."""

from __future__ import annotations

import io
import os
import re
import stat
import tokenize
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path

MAX_ALTERNATIVES = 32
OUTSIDE = "root must be an existing folder inside one of the configured content roots"
Matcher = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of a walk, with its files in name order. Paths are relative to the root of the walk.

    ``error`` says why a folder cannot be listed.
    """

    path: str
    files: tuple[str, ...] = ()
    error: str | None = None


def resolve_root(root: str | None, content_roots: Sequence[Path]) -> Path:
    """The real folder that ``root`` names: absolute, or relative to the first content root (the default).

    Raises ValueError. What is outside and what is missing get the same answer, or the answer would tell
    which files the machine has.
    """
    if not content_roots:
        raise ValueError("no content root is configured; set CONTENT_ROOTS")
    allowed = [path.resolve() for path in content_roots]
    try:
        folder = (allowed[0] / (root or ".")).resolve(strict=True)
        inside = folder.is_dir() and any(folder.is_relative_to(path) for path in allowed)
    except (OSError, RuntimeError, ValueError) as error:  # missing; a loop of links; NUL or a lone surrogate
        raise ValueError(OUTSIDE) from error
    if not inside:
        raise ValueError(OUTSIDE)
    return folder


def printable(path: str) -> str:
    """A file name for messages: bytes that are no UTF-8 appear as ``\\xff``; a lone surrogate breaks JSON."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def compile_pattern(pattern: str) -> Matcher:
    """A test for relative paths: ``*``, ``?`` and ``[a-z]`` in a segment, ``**`` any folders, ``{py,md}``.

    Raises ValueError when the braces do not match up or multiply too far.
    """
    alternatives = [_segments(text) for text in _expand(pattern)]
    return lambda path: any(_matches(parts, path.split("/")) for parts in alternatives)


def _expand(pattern: str) -> list[str]:
    done: list[str] = []
    todo = [pattern]
    while todo:
        text = todo.pop(0)
        braces = re.search(r"\{([^{}]*)\}", text)
        if braces:
            todo.extend(text[: braces.start()] + word + text[braces.end() :] for word in braces[1].split(","))
        elif "{" in text or "}" in text:
            raise ValueError("pattern has a brace without its partner")
        else:
            done.append(text)
        if len(todo) + len(done) > MAX_ALTERNATIVES:
            raise ValueError(f"pattern has more than {MAX_ALTERNATIVES} alternatives in braces")
    return done


def _segments(text: str) -> list[re.Pattern[str] | None]:
    return [None if part == "**" else re.compile(translate(part)) for part in text.split("/")]


def _matches(parts: Sequence[re.Pattern[str] | None], names: Sequence[str]) -> bool:
    """Segment by segment over the set of reachable positions: ``**/**/**`` must not cost exponential time."""
    reached = {0}
    for part in parts:
        if part is None:
            reached = set(range(min(reached), len(names) + 1))
        else:
            reached = {i + 1 for i in reached if i < len(names) and part.match(names[i])}
        if not reached:
            return False
    return len(names) in reached


def walk(root: Path) -> Iterator[Folder]:
    """Every folder below ``root`` in name order, with its regular files. Symbolic links are not followed:
    they may loop or leave the content root. Yields also empty folders, so that a caller can stop in between.
    """
    pending = [""]
    while pending:
        here = pending.pop()
        try:
            with os.scandir(root / here) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
            below = [here + e.name + "/" for e in entries if e.is_dir(follow_symlinks=False)]
            files = tuple(here + e.name for e in entries if e.is_file(follow_symlinks=False))
        except OSError as error:
            yield Folder(here, error=error.strerror or type(error).__name__)
            continue
        pending.extend(reversed(below))
        yield Folder(here, files)


def read_bounded(path: Path, limit: int) -> tuple[bytes, bool]:
    """At most ``limit`` bytes of a regular file, and whether there was more.

    Raises OSError, also when the path has become a link, a FIFO or a device since it was listed:
    O_NOFOLLOW refuses the first, and without O_NONBLOCK opening a FIFO would wait for ever for its writer.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    finally:
        os.close(descriptor)
    return data[:limit], len(data) > limit


def decode(data: bytes, *, python: bool, truncated: bool) -> str:
    """The text of a file: UTF-8, or what a Python source declares. Raises ValueError for what is no text."""
    if b"\0" in data:
        raise ValueError("binary data")
    encoding, errors = "utf-8-sig", "strict"
    if truncated and (end := data.rfind(b"\n")) >= 0:
        data = data[: end + 1]
    elif truncated:  # one very long line: the cut may have split a character, which is no fault of the file
        errors = "ignore"
    if python:
        try:
            encoding = tokenize.detect_encoding(io.BytesIO(data).readline)[0]
        except SyntaxError as error:
            raise ValueError(str(error)) from error
    try:
        text = data.decode(encoding, errors)
    except LookupError as error:  # a declared codec such as rot13, which makes no text of bytes
        raise ValueError(str(error)) from error
    return text.encode("utf-8", "replace").decode()  # utf-7 and unicode_escape can yield lone surrogates
