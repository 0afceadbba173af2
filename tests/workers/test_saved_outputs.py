"""What saving an output costs and what it refuses, over a writer that keeps what it is given."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app.storage.files import FileStorage
from app.stream.store import DatabaseUnavailable
from tests.support.clock import Sleeper
from tests.workers.kept import Kept, run_of
from workers import current, outputs, runtime
from workers.errors import NoRun, TaskCancelled
from workers.progress import save_output


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What Postgres says: the sizes of the run's stored outputs, and the bytes of all."""
    said: dict[str, Any] = {"run": {}, "all": 0}
    monkeypatch.setattr(outputs, "_stored", lambda run: (said["run"], said["all"]))
    return said


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    limits = SimpleNamespace(output_file_bytes=10, output_run_bytes=25, output_bytes=100)
    monkeypatch.setattr(outputs, "settings", lambda: limits)
    here = SimpleNamespace(storage=FileStorage(tmp_path / "outputs"))
    monkeypatch.setattr(runtime, "runtime", lambda: here)
    kept = Kept()
    with current.running(run_of(kept)):
        yield kept


def file(tmp_path: Path, size: int, name: str = "a.txt") -> Path:
    (tmp_path / name).write_bytes(bytes(size))
    return tmp_path / name


def refusals(kept: Kept) -> list[str]:
    return [
        message.partition(" is not saved: ")[2] for level, message, _ in kept.lines() if level == "WARNING"
    ]


def test_outside_of_a_job_it_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoRun):
        save_output(file(tmp_path, 1))


def test_the_content_is_there_before_the_event(kept: Kept, stored: dict[str, Any], tmp_path: Path) -> None:
    assert save_output(str(file(tmp_path, 3)), name="b.csv") is True

    (event,) = kept.of_type("output")
    assert (event["name"], event["size"], event["content_type"]) == ("b.csv", 3, "text/csv; charset=utf-8")
    assert len(list((tmp_path / "outputs").rglob("3-*"))) == 1, "of the third attempt"
    assert {draft.attempt for draft in kept.drafts} == {3}


@pytest.mark.parametrize(
    ("sizes", "run", "all", "why"),
    [
        ([10], {}, 0, []),
        ([11], {}, 0, ["it has more than 10 bytes"]),
        ([10, 10, 6], {}, 0, ["it has more than 5 bytes"]),
        ([10, 10, 5], {}, 0, []),
        ([5], {"before": 20}, 0, []),
        ([6], {"before": 20}, 0, ["it has more than 5 bytes"]),
        (
            [1],
            {"before": 99},
            0,
            ["the outputs of this run, or of all runs, have as many bytes as they may have"],
        ),
        ([5], {}, 95, []),
        ([6], {}, 95, ["it has more than 5 bytes"]),
        ([1], {}, 100, ["the outputs of this run, or of all runs, have as many bytes as they may have"]),
    ],
)
def test_a_file_that_is_too_large_is_not_saved(
    kept: Kept,
    stored: dict[str, Any],
    tmp_path: Path,
    sizes: list[int],
    run: dict[str, int],
    all: int,
    why: list[str],
) -> None:
    stored.update(run=run, all=all)

    saved = [save_output(file(tmp_path, size, f"{n}.txt")) for n, size in enumerate(sizes)]

    assert saved == [True] * (len(sizes) - len(why)) + [False] * len(why)
    assert refusals(kept) == why
    assert len(kept.of_type("output")) == saved.count(True)


def test_a_file_that_grows_while_it_is_copied_is_not_saved(
    kept: Kept, stored: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Growing(io.FileIO):
        def read(self, size: int | None = -1) -> bytes:
            return b"x" * 7

    monkeypatch.setattr(outputs, "regular_file", lambda path: Growing(path))

    assert save_output(file(tmp_path, 1)) is False
    assert refusals(kept) == ["it has more than 10 bytes"]
    assert [path for path in (tmp_path / "outputs").rglob("*") if path.is_file()] == []


def test_without_a_folder_it_says_what_to_set(kept: Kept, stored: dict[str, Any], tmp_path: Path) -> None:
    runtime.runtime().storage = None  # type: ignore[misc]

    assert save_output(file(tmp_path, 1)) is False
    assert refusals(kept) == ["no folder is set for outputs (TASKROOM_OUTPUTS)"]


def test_a_full_disk_is_a_line_of_the_log(
    kept: Kept, stored: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FileStorage, "put", full)

    assert save_output(file(tmp_path, 1)) is False
    assert refusals(kept) == ["[Errno 28] No space left on device"]


def away() -> Any:
    raise DatabaseUnavailable("away")


def test_it_waits_for_postgres_a_minute_and_a_cancel_ends_the_wait(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Sleeper()
    monkeypatch.setattr(outputs, "time", clock)
    runtime.runtime().connect = away  # type: ignore[method-assign]

    assert save_output(file(tmp_path, 1)) is False
    assert 60 <= clock.slept < 61
    assert refusals(kept) == ["Postgres does not say how much is stored already"]

    monkeypatch.setattr(clock, "sleep", lambda seconds: current.get().cancel())
    with pytest.raises(TaskCancelled):
        save_output(file(tmp_path, 1))
