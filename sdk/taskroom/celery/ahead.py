"""What comes after a task, as its message says: the rest of its chain, and the body of its chord.

Celery sends these parts one after the other, so until then nobody else reports them. Only names and ids are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from taskroom.celery.tree import reported_id
from taskroom.texts import cut

MOST = 20  # parts; a last one stands for those beyond
LONGEST = 2_000  # characters of all names
NAME_LIMIT = 155  # characters of one name, as of the type of a task
DEEPEST = 4  # canvases within one another
FURTHER = "further tasks"

Wants = Callable[[str], bool]


def ahead(chain: Any, chord: Any, wants: Wants) -> list[dict[str, Any]]:
    """Returns the parts in their order, as the server takes them. ``chain`` is that of a request: the last is next.
    Parts with the same ``step`` begin together; those with ``chord`` wait for all members of the chord."""
    walk = _Walk(wants)
    try:
        walk.steps(reversed(chain) if isinstance(chain, (list, tuple)) else ())
        walk.body(chord)
    except _Full:
        pass
    return walk.parts


class _Full(Exception):
    """There are more parts than are reported."""


class _Walk:
    def __init__(self, wants: Wants) -> None:
        self.parts: list[dict[str, Any]] = []
        self._wants, self._step, self._in_chord, self._left = wants, 0, False, LONGEST

    def steps(self, signatures: Iterable[Any], depth: int = 0) -> None:
        for each in signatures:
            self._signature(each, depth)

    def body(self, signature: Any, depth: int = 0) -> None:
        if isinstance(signature, Mapping):
            self._in_chord = True
            self._signature(signature, depth)

    def _signature(self, signature: Any, depth: int) -> None:
        if not isinstance(signature, Mapping) or depth > DEEPEST:
            return
        kind, options = signature.get("subtask_type"), signature.get("options") or {}
        if kind == "chain":
            self.steps(_inner(signature, "tasks"), depth + 1)
        elif kind == "group":
            self._together(_inner(signature, "tasks"))
        elif kind == "chord":
            self._together(_inner(signature, "header"))
            self._signature((signature.get("kwargs") or {}).get("body"), depth + 1)
        else:
            self._together([signature])
        rest = options.get("chain")
        self.steps(reversed(rest) if isinstance(rest, (list, tuple)) else (), depth + 1)
        self.body(options.get("chord"), depth + 1)

    def _together(self, signatures: Iterable[Any]) -> None:
        """Adds parts that begin together: one for each name, with how many there are of it."""
        found: dict[str, dict[str, Any]] = {}
        for each in signatures:
            name = _name(each, self._wants)
            if not name:
                continue
            part = found.get(name)
            if part is None:
                part = found[name] = {"step": self._step + 1, "job_type": name}
                if task_id := _first_id(each):
                    part["task_id"] = reported_id(task_id)
                if self._in_chord:
                    part["chord"] = True
            else:
                part["count"] = part.get("count", 1) + 1
        self._step += bool(found)
        for name, part in found.items():
            self._left -= len(name)
            if len(self.parts) == MOST or self._left < 0:
                last = {"step": part["step"], "job_type": FURTHER}
                self.parts.append({**last, "chord": True} if self._in_chord else last)
                raise _Full
            self.parts.append(part)


def _inner(signature: Mapping[str, Any], name: str) -> Iterable[Any]:
    """Returns the signatures within one. What is no list is not read: a generator would be used up."""
    found = (signature.get("kwargs") or {}).get(name)
    if isinstance(found, Mapping):  # the header of a chord is a group
        found = (found.get("kwargs") or {}).get("tasks")
    return found if isinstance(found, (list, tuple)) else ()


def _name(signature: Any, wants: Wants, depth: int = 0) -> str:
    """Returns what a part is called; the empty text for one that is not reported."""
    if not isinstance(signature, Mapping) or depth > DEEPEST:
        return ""
    kind = signature.get("subtask_type")
    if kind in ("chain", "group", "chord"):
        inner = _inner(signature, "header" if kind == "chord" else "tasks")
        names = [name for each in list(inner)[:MOST] if (name := _name(each, wants, depth + 1))]
        if kind == "chain":
            return cut(" → ".join(names), NAME_LIMIT)
        return cut(f"{kind} of {names[0]}", NAME_LIMIT) if names else ""
    name = str(signature.get("task") or "")
    return cut(name, NAME_LIMIT) if name and wants(name) else ""


def _first_id(signature: Any) -> Any:
    """Returns the id of the task of a part that is sent first."""
    for _ in range(DEEPEST):
        kind = signature.get("subtask_type")
        if kind not in ("chain", "group", "chord"):
            return (signature.get("options") or {}).get("task_id")
        inner = list(_inner(signature, "header" if kind == "chord" else "tasks"))
        if not inner or not isinstance(inner[0], Mapping):
            return None
        signature = inner[0]
    return None
