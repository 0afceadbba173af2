"""How an attempt failed, as its end reports it: the error, the phase that it left, and the source around it."""

from __future__ import annotations

import dis
import inspect
import sys
from typing import Any, Protocol

from taskroom.limits import NAME_LIMIT, TEXT_LIMIT, TRACEBACK_LIMIT
from taskroom.source import MOST_CAUSES, SECRETS, own_part, source_of
from taskroom.texts import cut, cut_before, formatted, reason

_PHASE = "taskroom_phase"  # an attribute of an exception: the innermost phase that it has left
_POPS = frozenset({"POP_TOP", "POP_ITER"})  # what ends a loop by ``break`` or ``return``
_SUSPENDED = frozenset({"YIELD_VALUE", "RESUME", "SEND", "YIELD_FROM"})


class Failing(Protocol):
    """A run, as far as its error needs it."""

    source_lines: bool
    secrets: tuple[str, ...]

    def phase_of(self, error: BaseException) -> str | None:
        """The phase in which an exception came."""


def error_of(error: BaseException, run: Failing | None = None) -> dict[str, Any]:
    """The error that an attempt of ``run`` ends with. ``phase`` is None when the exception came between phases."""
    secrets, with_source = (run.secrets, run.source_lines) if run else (SECRETS, True)
    return {
        "type": type(error).__name__[:NAME_LIMIT],
        "message": cut(reason(error), TEXT_LIMIT),
        "traceback": cut_before(formatted(error, own_part(error.__traceback__)), TRACEBACK_LIMIT),
        "phase": None if run is None else run.phase_of(error),
        "source": source_of(error, secrets) if with_source else None,
    }


def leaves(error: BaseException, phase: str) -> None:
    """Remembers that the exception leaves a phase, unless it has left another one within it."""
    try:
        vars(error).setdefault(_PHASE, phase)
    except (
        Exception
    ):  # a class of the run's code may refuse it; the page then names the phase that was open last
        return


def phase_left(error: BaseException) -> str | None:
    """The innermost phase that the exception, or what it was raised from, has left."""
    found: BaseException | None = error
    for _ in range(MOST_CAUSES):
        if found is None:
            break
        phase = getattr(found, "__dict__", {}).get(_PHASE)
        if isinstance(phase, str):
            return phase
        found = found.__cause__
    return None


def loop_was_broken() -> bool:
    """Whether the generator that calls this is closed by ``break`` or ``return``, and not by an exception on its way.

    No exception can be seen then, but the instruction that closes the generator: an exception leaves the caller at the
    one that has raised it.
    """
    frame = sys._getframe(1).f_back
    while (
        frame is not None and frame.f_code.co_flags & inspect.CO_GENERATOR
    ):  # such as enumerate of one's own
        if _instruction(frame.f_code.co_code, frame.f_lasti) not in _SUSPENDED:
            break
        frame = frame.f_back
    return frame is not None and _instruction(frame.f_code.co_code, frame.f_lasti) in _POPS


def _instruction(code: bytes, at: int) -> str:
    return dis.opname[code[at]] if 0 <= at < len(code) else ""
