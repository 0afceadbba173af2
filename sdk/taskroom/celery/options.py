"""What a project asks for when it instruments its application."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

Cancel = Literal["raise", "terminate"]

# Celery's own, which repeat themselves beside the tasks of the project: only who names them gets them.
HOUSEKEEPING = ("celery.chord_unlock", "celery.backend_cleanup")


@dataclass(frozen=True)
class Options:
    """``include`` and ``exclude`` are patterns of task names; ``redact`` has words in names of values."""

    include: tuple[str, ...]
    exclude: tuple[str, ...]
    redact: tuple[str, ...]
    stdout: bool
    cancel: Cancel
    tree: bool
    source_lines: bool
    _wanted: dict[str, bool] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(
        cls,
        include: Iterable[str],
        exclude: Iterable[str],
        redact: Iterable[str],
        *,
        stdout: bool,
        cancel: Cancel,
        tree: bool,
        source_lines: bool,
    ) -> Options:
        """Raises ValueError for what cannot be used."""
        if cancel not in ("raise", "terminate"):
            raise ValueError(f'cancel is "raise" or "terminate", not {cancel!r}')
        return cls(
            _texts("include", include),
            _texts("exclude", exclude),
            _texts("redact", redact),
            stdout=stdout,
            cancel=cancel,
            tree=tree,
            source_lines=source_lines,
        )

    def wants(self, name: str) -> bool:
        """Whether tasks of this name are reported."""
        found = self._wanted.get(name)
        if found is None:
            found = self._wanted[name] = self._matches(name)
        return found

    def _matches(self, name: str) -> bool:
        if name in HOUSEKEEPING and name not in self.include:
            return False
        included = any(fnmatchcase(name, pattern) for pattern in self.include)
        return included and not any(fnmatchcase(name, pattern) for pattern in self.exclude)


def _texts(name: str, given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):  # each of its letters would be one
        raise ValueError(f"{name} is a list of texts, such as ({given!r},)")
    return tuple(given)
