"""Arguments and results as the server may have them: without secrets, and not too large."""

from __future__ import annotations

import datetime
import decimal
import inspect
import uuid
from collections.abc import Mapping, Sequence, Set
from typing import Any

from taskroom.texts import cut
from taskroom.values import text

HIDDEN = "[redacted]"
FURTHER = "…"
LONGEST = 2_000  # characters of one text
MOST = 1_000  # values of one argument or result, with those within
DEEPEST = 8
MOST_NAMES = 1_000
REPR_LIMIT = 1_024  # characters, of Celery's own text of the arguments

_AS_THEY_ARE = (bool, int, float, bytes, datetime.date, datetime.time, decimal.Decimal, uuid.UUID)
_SIGNS = str.maketrans(
    "", "", " ()[]{},'\""
)  # in which the arguments of a message differ from those that were sent


class Redaction:
    """Copies values. What has a name that contains one of the words, in any letters, is replaced."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = tuple(_folded(word) for word in words)
        self._hidden: dict[str, bool] = {}  # names that come up again and again

    def hides(self, name: str) -> bool:
        """Whether a value of this name is not shown."""
        found = self._hidden.get(name)
        if found is None:
            found = self.finds(name)
            if len(self._hidden) < MOST_NAMES:
                self._hidden[name] = found
        return found

    def finds(self, text: str) -> bool:
        """Whether a text contains one of the words."""
        folded = _folded(text)
        return any(word in folded for word in self._words)

    def of(self, value: Any) -> Any:
        """The copy. At most MOST values are looked at, whatever there is."""
        if value is None or isinstance(value, _AS_THEY_ARE):
            return value
        return self._of(value, 0, [MOST])

    def _of(self, value: Any, depth: int, left: list[int]) -> Any:
        left[0] -= 1
        if value is None or isinstance(value, _AS_THEY_ARE):
            return value
        if isinstance(value, str):
            return cut(str.__str__(value), LONGEST)
        if not isinstance(value, (Mapping, list, tuple, Set)):
            return shown(value)
        if depth >= DEEPEST:
            return FURTHER
        try:
            if isinstance(value, Mapping):
                return self._mapping(value, depth, left)
            return self._list(value, depth, left)
        except Exception:  # code of the value's own
            return f"<{type(value).__name__}>"

    def _mapping(self, value: Mapping[Any, Any], depth: int, left: list[int]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, item in list(value.items()):
            if left[0] <= 0:
                found[FURTHER] = f"{len(value):,} in all"
                break
            key = name if isinstance(name, str) else text(name)
            found[key[:LONGEST]] = HIDDEN if self.hides(key) else self._of(item, depth + 1, left)
        return found

    def _list(self, value: Any, depth: int, left: list[int]) -> list[Any]:
        found: list[Any] = []
        for item in value:
            if left[0] <= 0:
                found.append(f"{FURTHER} {len(value):,} in all")
                break
            found.append(self._of(item, depth + 1, left))
        return found


class Arguments:
    """Makes parameters of the arguments of tasks: by name, where the task's function is known."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction
        self._names: dict[str, tuple[str, ...]] = {}

    def of(self, task: Any, args: Any, kwargs: Any, texts: tuple[str | None, str | None]) -> dict[str, Any]:
        """``task`` is None where only its name is known. ``texts`` are those of the arguments in the message: where
        the sender has chosen them, they are shown and the arguments are not."""
        names = self.names(task)
        found: dict[str, Any] = {}
        if args:
            if _is_chosen(texts[0], args):
                found["args"] = self._chosen(texts[0], names)
            else:
                found.update(zip(names, args))
                if len(args) > len(names):
                    found["args"] = list(args[len(names) :])
        if kwargs:
            if _is_chosen(texts[1], kwargs):
                found["kwargs"] = self._chosen(texts[1], ())
            else:
                found.update(kwargs)
        return self._redaction.of(found) if found else found

    def names(self, task: Any) -> tuple[str, ...]:
        """The names of the positional parameters of a task."""
        if task is None:
            return ()
        found = self._names.get(task.name)
        if found is None:
            found = self._names[task.name] = _positional(task.run)
        return found

    def _chosen(self, chosen: str | None, names: Sequence[str]) -> str:
        """The sender's text, unless it may be a plain one after all, with a secret in it."""
        shown = chosen or ""
        if self._redaction.finds(shown) or any(map(self._redaction.hides, names)):
            return HIDDEN
        return cut(shown, LONGEST)


def shown(value: Any) -> str:
    """What the value says of itself."""
    try:
        return cut(repr(value), LONGEST)
    except Exception:  # code of the value's own
        return f"<{type(value).__name__}>"


def _is_chosen(said: str | None, value: Any) -> bool:
    """Whether ``said`` is another text than Celery makes of these arguments. In a worker they come from a message, in
    which tuples are lists, so only what is within the brackets is compared."""
    from celery.utils.saferepr import saferepr

    if not said:
        return False
    if _is_simple(value) and repr(value).translate(_SIGNS) == said.translate(_SIGNS):
        return False
    plain = str(saferepr(value, REPR_LIMIT))
    if len(said) >= REPR_LIMIT // 2:  # one may be cut, at another place than the other
        return said[1:64].translate(_SIGNS)[:40] != plain[1:64].translate(_SIGNS)[:40]
    return said.translate(_SIGNS) != plain.translate(_SIGNS)


def _is_simple(value: Any) -> bool:
    """Whether Python's own text of the arguments is made in a moment; mostly it is that of Celery."""
    items = value.values() if isinstance(value, dict) else value
    return len(value) < 20 and all(
        item is None or item.__class__ in (int, float, bool) or (item.__class__ is str and len(item) < 100)
        for item in items
    )


def _positional(function: Any) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a callable of another make
        return ()
    return tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))


def _folded(text: str) -> str:
    return text.lower().replace("-", "_")
