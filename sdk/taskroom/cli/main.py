"""Runs one command, and makes an exit status of what becomes of it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from taskroom.cli.faults import STATUS, Fault, say
from taskroom.cli.parser import parse

NOBODY_READS, INTERRUPTED = 128 + 13, 128 + 2  # as a shell shows the end by SIGPIPE and by SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status. Every error is one line on stderr, and never a traceback."""
    _prepare_streams()
    try:
        status = _call(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
    except Fault as fault:
        say(str(fault))
        return STATUS
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # as of ``taskroom logs ID | head``
        _drop_output()
        return NOBODY_READS
    except OSError as error:
        _drop_output()
        where = f" ({error.filename})" if error.filename else ""
        say(
            f"the system refuses to read or write: {error.strerror or error}{where}; make room, or try elsewhere"
        )
        return STATUS
    except Exception as error:
        say(f"this should not have happened: {type(error).__name__}: {error}; please report it")
        return STATUS
    return status


def _call(argv: Sequence[str]) -> int:
    try:
        arguments = parse(argv)
        return int(arguments.call(arguments))
    except SystemExit as end:  # after --help and --version
        return int(end.code or 0)


def _drop_output() -> None:
    """Lets what is still to be written go nowhere: the end of Python would write it again, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _prepare_streams() -> None:
    """A locale that has no character for something shows another one instead, and a stdout that is closed (``>&-``)
    takes everything."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 (for as long as the process lives)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
