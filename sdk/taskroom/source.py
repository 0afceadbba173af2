"""The lines of source around the place where a run's own code failed."""

from __future__ import annotations

import linecache
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from taskroom.limits import NAME_LIMIT, SOURCE_AROUND, SOURCE_LINE_LIMIT, TEXT_LIMIT
from taskroom.texts import clean, cut

HIDDEN = "[redacted]"
SECRETS = ("password", "token", "secret", "authorization", "api_key")  # in names of values that are not shown
MOST_CAUSES = 10

_PACKAGES = frozenset({"site-packages", "dist-packages"})
_TEXTS = re.compile(r"""("{3}|'{3}|"|')((?:\\.|(?!\1).)+)(?:\1|$)""")
# Tokens of Taskroom and of others, and passwords in addresses.
_KEYS = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*|tr[ks]_[\w.~+/=-]+|(?<=://)[^\s/@\"']+:[^\s/@\"']+(?=@)")
_libraries: list[tuple[str, str]] = []


def add_library(folder: str, own: str = "") -> None:
    """Makes the files below ``folder`` no code of a run's own, but for those below ``own``."""
    if (folder, own) not in _libraries:
        _libraries.append((folder, own))


for _file in (os.__file__, __file__):
    add_library(str(Path(_file).parent))
    add_library(str(Path(_file).resolve().parent))


def source_of(error: BaseException, secrets: Iterable[str] = SECRETS) -> dict[str, Any] | None:
    """The last call of the run's own code on the way to the exception: its file, line and function, with the lines
    around it, of which ``first_line`` is the number of the first. None where there is none whose source can be read.
    Texts in a line with one of the words ``secrets`` are not shown."""
    try:
        for each in _causes(error):
            trace = _last_own(each.__traceback__)
            if trace is not None:
                return _shown(trace, tuple(secrets))
    except Exception:  # a file that changes while it is read, or a loader of another's making
        return None
    return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The exception, then what it was raised from."""
    found: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if found is None:
            return
        yield found
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)


def own_part(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the calls before the first one of the run's own code, which say nothing of it."""
    found = trace
    try:
        while found is not None and not _is_own(found.tb_frame.f_code.co_filename):
            found = found.tb_next
    except OSError:  # there is no current folder any more
        return trace
    return found or trace


def _last_own(trace: TracebackType | None) -> TracebackType | None:
    found = None
    own: dict[str, bool] = {}
    while trace is not None:
        frame = trace.tb_frame
        file = frame.f_code.co_filename
        if file not in own:
            own[file] = _is_own(file) and bool(linecache.getlines(file, frame.f_globals))
        if own[file]:
            found = trace
        trace = trace.tb_next
    return found


def _is_own(file: str) -> bool:
    if file.startswith("<frozen ") or not _PACKAGES.isdisjoint(file.replace("\\", "/").split("/")):
        return False
    path = str(Path.cwd() / file)
    return not any(_is_below(path, folder) and not _is_below(path, own) for folder, own in _libraries)


def _is_below(path: str, folder: str) -> bool:
    return folder != "" and path.startswith(folder + os.sep)


def _shown(trace: TracebackType, secrets: tuple[str, ...]) -> dict[str, Any]:
    code, line = trace.tb_frame.f_code, trace.tb_lineno
    lines = linecache.getlines(code.co_filename, trace.tb_frame.f_globals)
    first = max(1, line - SOURCE_AROUND)
    around = lines[first - 1 : line + SOURCE_AROUND]
    return {
        "file": cut(clean(_shortened(code.co_filename)), TEXT_LIMIT),
        "line": line,
        "function": code.co_name[:NAME_LIMIT],
        "first_line": first,
        "lines": [cut(clean(without_secrets(each.rstrip(), secrets)), SOURCE_LINE_LIMIT) for each in around],
    }


def _shortened(file: str) -> str:
    """The path as one imports it, where it is below a folder of ``sys.path`` or the current one."""
    path = str(Path.cwd() / file)
    folders = [str(Path.cwd() / folder) for folder in (*sys.path, "") if isinstance(folder, str)]
    above = max((folder for folder in folders if _is_below(path, folder)), key=len, default="")
    return path[len(above) + 1 :] if above else file


def without_secrets(line: str, secrets: Iterable[str] = SECRETS) -> str:
    """A line of source without texts that may be secrets."""
    folded = line.lower().replace("-", "_")
    if any(word.lower().replace("-", "_") in folded for word in secrets):
        line = _TEXTS.sub(lambda found: found[1] + HIDDEN + found[1], line)
    return _KEYS.sub(HIDDEN, line)
