"""A job file that cannot be imported is named, and takes nobody else's job types away."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import workers.jobs
from tests.workers.kept import Kept, run_of
from workers import outcomes, registry

GOOD = """
from marshmallow import Schema
from workers.progress import job

@job({name!r}, params=Schema)
def works():
    \"\"\"Works.\"\"\"
"""

Write = Callable[[str, str], None]


@pytest.fixture
def write(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Write]:
    """Puts a file of that name beside the shipped jobs, for a process that has looked for none yet."""
    monkeypatch.setattr(workers.jobs, "__path__", [str(tmp_path)], raising=False)
    monkeypatch.setattr(registry, "settings", lambda: SimpleNamespace(jobs=("workers.jobs",)))
    monkeypatch.setattr(registry, "_jobs", {})
    monkeypatch.setattr(registry, "_broken", {})
    registry.jobs.cache_clear()
    before = set(sys.modules)

    def write(name: str, text: str) -> None:
        (tmp_path / f"{name}.py").write_text(text)
        importlib.invalidate_caches()

    yield write
    registry.jobs.cache_clear()
    for name in {name for name in sys.modules if name.startswith("workers.jobs.")} - before:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
        ("def (", "SyntaxError: "),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (
            GOOD.format(name="half") + "raise ValueError('later in the file')\nx = '''\n'''",
            "ValueError: later in the file",
        ),
        (GOOD.format(name="good"), "ValueError: two job types are named 'good'"),
    ],
)
def test_a_file_that_cannot_be_imported_is_named_and_the_others_work(
    write: Write, caplog: pytest.LogCaptureFixture, text: str, why: str
) -> None:
    write("zz_broken", text)
    write("fine", GOOD.format(name="good"))

    with caplog.at_level(logging.ERROR, "taskroom.registry"):
        names = list(registry.jobs())

    assert names == ["good"]
    ((file, reason),) = registry.broken().items()
    assert file == "workers/jobs/zz_broken.py" and reason.startswith(why)
    (record,) = caplog.records
    assert "workers/jobs/zz_broken.py cannot be imported" in record.getMessage() and record.exc_info


def test_a_task_of_a_job_that_is_not_there_says_which_file_may_be_missing(write: Write) -> None:
    write("broken", "import no_such_library")

    ended = outcomes.run_job(registry.jobs().get("thumbnails"), run_of(Kept()))

    assert ended["status"] == "FAILURE"
    assert ended["error"]["message"] == (
        "this worker knows no job type 'test' (workers/jobs/broken.py cannot be imported: "
        "ModuleNotFoundError: No module named 'no_such_library')"
    )
