"""Runs job functions without a task: what they report is recorded where they call ``workers.progress``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import workers.progress
import workers.registry
import workers.settings


class Phase:
    def __init__(self, name: str, total: int | None, message: str) -> None:
        self.name, self.total, self.message = name, total, message
        self.processed = self.errors = 0
        self.completed = False

    def advance(self, n: int = 1, message: str | None = None) -> None:
        self.processed += n
        self.message = message or self.message

    def error(self, n: int = 1) -> None:
        self.errors += n


class Recorder:
    """Same names and signatures as ``workers.progress``, remembering what was reported."""

    phase_type: type[Phase] = Phase

    def __init__(self) -> None:
        self.phases: list[Phase] = []
        self.logs: list[tuple[str, SimpleNamespace]] = []
        self.jobs: dict[str, dict[str, Any]] = {}
        self.outputs: dict[str, bytes] = {}
        self._open: list[Phase] = []

    def job(self, name: str, **options: Any) -> Callable[[Any], Any]:
        self.jobs[name] = options
        return lambda function: function

    def log(self, message: str, level: str = "INFO", component: str | None = None) -> None:
        name = self._open[-1].name if self._open else None
        self.logs.append((message, SimpleNamespace(level=level, component=component, phase=name)))

    def item_error(self, message: str | None = None) -> None:
        self._open[-1].error()
        if message is not None:
            self.log(message, level="WARNING")

    def save_output(self, path: Path, name: str | None = None) -> bool:
        self.outputs[name or path.name] = path.read_bytes()
        return True

    @contextmanager
    def phase(self, name: str, total: int | None = None, message: str = "") -> Iterator[Phase]:
        phase = Phase(name, total, message)
        self.phases.append(phase)
        self._open.append(phase)
        try:
            yield phase
            phase.completed = True
        finally:
            self._open.remove(phase)

    def track(
        self, items: Iterable[Any], phase: str, message: str = "", total: int | None = None
    ) -> Iterator[Any]:
        if total is None and isinstance(items, Sized):
            total = len(items)
        with self.phase(phase, total) as opened:
            for n, item in enumerate(items, 1):
                yield item
                opened.advance(1, message.format(n=n, total=total, item=item))

    def at(self, level: str) -> list[str]:
        return [message for message, fields in self.logs if fields.level == level]

    def names(self) -> list[str]:
        return [phase.name for phase in self.phases]

    def __getitem__(self, name: str) -> Phase:
        return next(phase for phase in self.phases if phase.name == name)


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    for name in ("job", "log", "item_error", "phase", "save_output", "track"):
        monkeypatch.setattr(workers.progress, name, getattr(recorder, name))
    return recorder


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ModuleType]]:
    """Imports a job module anew, with these settings; the module and registry of others come back."""
    kept: dict[str, ModuleType | None] = {}
    monkeypatch.setattr(workers.registry, "_jobs", dict(workers.registry._jobs))

    def load(module: str, *, content_roots: tuple[Path, ...] = (), bench: bool = False) -> ModuleType:
        name = f"workers.jobs.{module}"
        settings = SimpleNamespace(content_roots=content_roots, bench=bench)
        monkeypatch.setattr(workers.settings, "settings", lambda: settings)
        kept.setdefault(name, sys.modules.pop(name, None))
        sys.modules.pop(name, None)
        return importlib.import_module(name)

    yield load
    for name, module in kept.items():
        sys.modules.pop(name, None)
        if module is not None:
            sys.modules[name] = module
            setattr(sys.modules["workers.jobs"], name.rpartition(".")[2], module)


@pytest.fixture
def load(recorder: Recorder, fresh: Callable[..., ModuleType]) -> Callable[..., ModuleType]:
    """As ``fresh``, with everything that the job reports going to the recorder."""
    return fresh
