"""Outputs of tasks: names that a file may have, rows by events, and files that no row refers to."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest

from app.storage.files import FileStorage
from app.stream.event import draft, now, task_stream
from app.tasks.outputs import (
    UNKNOWN_TYPE,
    bytes_of_all,
    delete_orphans,
    find_output,
    key_of,
    list_outputs,
    output_event,
    output_name,
    type_of,
)
from tests.stream.helpers import sql
from tests.tasks.helpers import Tasks


@pytest.mark.parametrize(
    "name",
    [
        "report.csv",
        "Bericht März 2026 (2).pdf",
        "売上.csv",
        "a",
        "x" * 128,
        "no ending",
        "two..dots",
        "🙂.txt",
    ],
)
def test_a_name_that_a_file_may_have(name: str) -> None:
    assert output_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            ".",
            "..",
            ".bashrc",
            "../../etc/passwd",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "C:autoexec.bat",
            "a\0b",
        ),
        *("a\nb", "a\rb", "a\tb", "\x1b[31m", "x" * 129, " a", "a ", "a.", 'a"b', "a<b>", "a|b", "a*", "a?"),
        *("gpj.\u202eexe", "a\u200fb", "a\u2066b", "a\ud800b", "a\u0085b", "a\u2028b"),
    ],
)
def test_a_name_that_no_file_may_have(name: str) -> None:
    with pytest.raises(ValueError, match="the name"):
        output_name(name)


def test_no_type_is_one_that_a_browser_executes() -> None:
    assert type_of("A.CSV") == "text/csv; charset=utf-8"
    for name in (
        "page.html",
        "page.htm",
        "page.xhtml",
        "picture.svg",
        "feed.xml",
        "code.js",
        "a.mjs",
        "a.css",
        "a.swf",
        "csv",
    ):
        assert type_of(name) == UNKNOWN_TYPE


def test_the_key_of_a_content_has_nothing_of_its_name() -> None:
    key = key_of("1a2b3c4d-0000-4000-8000-000000000001", 2, "report.csv")

    assert key.startswith("1a2b3c4d-0000-4000-8000-000000000001/2-") and "report" not in key
    assert len({key_of("t", 1, "a"), key_of("t", 1, "b"), key_of("t", 2, "a"), key_of("u", 1, "a")}) == 4


def save(tasks: Tasks, task_id: str, name: str, size: int = 3, attempt: int = 1) -> None:
    fields = {"timestamp": now(), **output_event(name, size)}
    tasks.append([draft(task_stream(task_id), "output", fields, attempt=attempt)])


def test_an_event_makes_the_row_and_the_next_of_its_name_replaces_it(tasks: Tasks) -> None:
    task_id = tasks.started()
    save(tasks, task_id, "b.csv")
    save(tasks, task_id, "a.bin", 70_000)
    save(tasks, task_id, "b.csv", 5)

    with tasks.connect() as connection, connection.cursor() as cur:
        found = list_outputs(cur, task_id)
        assert find_output(cur, task_id, "b.csv") == found[1]
        assert find_output(cur, task_id, "c.csv") is None
        assert bytes_of_all(cur) == 70_000 + 16 * 1024, "a small one counts as a block"
    assert [(f.name, f.size, f.content_type, f.attempt) for f in found] == [
        ("a.bin", 70_000, UNKNOWN_TYPE, 1),
        ("b.csv", 5, "text/csv; charset=utf-8", 1),
    ]
    last = [event for event in tasks.events(task_id) if event["type"] == "output"][-1]
    assert (found[1].sequence, found[1].created_at) == (last["sequence"], last["timestamp"])
    assert tasks.state(task_id)["sequence"] == last["sequence"]


def test_an_attempt_that_is_over_saves_nothing(tasks: Tasks) -> None:
    task_id = tasks.started()

    save(tasks, task_id, "late.csv", attempt=2)

    assert sql(tasks.database, "SELECT count(*) FROM outputs")[0][0] == 0


def written(root: Path, key: str, age: float) -> Path:
    storage = FileStorage(root)
    storage.put(key, io.BytesIO(b"x"), 10)
    path = root / key[:2] / key
    at = path.stat().st_mtime - age
    os.utime(path, (at, at))
    return path


def test_what_no_row_refers_to_is_deleted_after_an_hour(tasks: Tasks, tmp_path: Path) -> None:
    kept, removed = tasks.started(), tasks.started()
    for task_id in (kept, removed):
        save(tasks, task_id, "report.csv")
    here = written(tmp_path, key_of(kept, 1, "report.csv"), 9_999)
    replaced = written(tmp_path, key_of(kept, 1, "older.csv"), 9_999)
    new = written(tmp_path, key_of(kept, 2, "report.csv"), 10)
    gone = written(tmp_path, key_of(removed, 1, "report.csv"), 9_999)
    unfinished = here.with_name("0-1")
    unfinished.write_text("half")
    os.utime(unfinished, (0, 0))
    sql(tasks.database, "DELETE FROM leases")
    sql(tasks.database, "DELETE FROM tasks WHERE id = %s", removed)

    assert delete_orphans(tasks.connect, FileStorage(tmp_path)) == 3
    assert (here.exists(), new.exists()) == (True, True)
    assert not replaced.exists() and not gone.exists() and not unfinished.exists()
    assert not gone.parent.exists()


def test_without_a_folder_there_is_nothing_to_delete(tasks: Tasks, tmp_path: Path) -> None:
    assert delete_orphans(tasks.connect, FileStorage(tmp_path / "nothing")) == 0


def test_a_run_of_the_retention_that_takes_too_long_stops(
    tasks: Tasks, tmp_path: Path, monkeypatch: Any
) -> None:
    for n in range(3):
        written(tmp_path, key_of(f"1a2b3c4d-0000-4000-8000-00000000000{n}", 1, "a"), 9_999)
    monkeypatch.setattr("app.tasks.outputs.SWEPT_AT_ONCE", 1)

    assert delete_orphans(tasks.connect, FileStorage(tmp_path), seconds=-1) == 0
    assert delete_orphans(tasks.connect, FileStorage(tmp_path)) == 3
