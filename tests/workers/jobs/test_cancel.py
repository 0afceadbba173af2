"""Every job stops soon after somebody asked it to, through the real ``workers.progress``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest

from taskroom import phases
from tests.support.clock import Sleeper
from workers import current
from workers.errors import TaskCancelled
from workers.run import Run

Load = Callable[..., ModuleType]


class Writer:
    """Takes events, and asks for the end of the run at the given one of them or at the given time."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.run: Run | None = None
        self.cancel_at = 1

    def put(self, item: Any) -> None:
        self.events.append(item)
        if self.run and len(self.events) >= self.cancel_at:
            self.run.cancel()


@pytest.fixture
def writer() -> Iterator[Writer]:
    writer = Writer()
    claim = SimpleNamespace(
        task_id="7d8f6a52-55a0-4fdc-8a3c-6a3f0b0a3a11",
        attempt=1,
        started_at=None,
        plan=None,
        usual=None,
        retry_count=0,
        phases=frozenset(),
    )
    writer.run = Run(cast(Any, claim), cast(Any, writer))
    with current.running(writer.run):
        yield writer


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Sleeper:
    """That by which reports are thinned."""
    clock = Sleeper()
    monkeypatch.setattr(phases, "time", clock)
    return clock


@pytest.mark.parametrize("params", [{"delay": 20.0}, {"events": 10, "rate": 0.1}, {"events": 2_000_000}])
def test_emit_load(
    fresh: Load, writer: Writer, clock: Sleeper, monkeypatch: pytest.MonkeyPatch, params: dict[str, Any]
) -> None:
    module = fresh("emit_load")
    monkeypatch.setattr(module, "time", clock)
    writer.cancel_at = 2 if "delay" in params else 8
    began = clock.now
    with pytest.raises(TaskCancelled):
        module.emit_load(**module.EmitLoadParams().load(params))
    assert clock.now - began < 2
    assert len(writer.events) <= writer.cancel_at + 1, "nothing more was written"


def test_knowledge_base_while_it_looks_for_files(
    fresh: Load, writer: Writer, clock: Sleeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = fresh("knowledge_base", content_roots=(tmp_path,))
    folders = 0

    def endless(root: Path) -> Iterator[Any]:
        nonlocal folders
        while folders < 10_000:
            folders += 1
            clock.now += 0.01
            yield module._files.Folder("nothing/")

    monkeypatch.setattr(module._files, "walk", endless)
    writer.cancel_at = 3
    with pytest.raises(TaskCancelled):
        module.knowledge_base(**module.KnowledgeBaseParams().load({}))
    assert 0 < folders < 100
    assert not list(tmp_path.iterdir())
