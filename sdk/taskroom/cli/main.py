"""Runs one command, and makes an exit status of what becomes of it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from taskroom.cli.faults import STATUS, Fault, say
from taskroom.cli.parser import parse

NOBODY_READS, INTERRUPTED = 128 + 13, 128 + 2  # as a shell shows the end by SIGPIPE and by SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit status. Every error is one line on stderr, and never a traceback."""
    _take_any_text()
    try:
        arguments = parse(sys.argv[1:] if argv is None else argv)
        status = int(arguments.call(arguments))
        if sys.stdout is not None:  # as after >&-
            sys.stdout.flush()
    except Fault as fault:
        say(str(fault))
        return STATUS
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # as of ``taskroom logs ID | head``
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the end of Python would complain
        return NOBODY_READS
    except Exception as error:
        say(f"this should not have happened: {type(error).__name__}: {error}; please report it")
        return STATUS
    return status


def _take_any_text() -> None:
    """A locale that has no character for something shows another one instead."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
