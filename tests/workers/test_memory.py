"""The memory that a worker reports: its own and that of its children."""

from __future__ import annotations

import os
from pathlib import Path

from workers.memory import memory_bytes

PAGE = os.sysconf("SC_PAGE_SIZE")


def process(proc: Path, pid: str, pages: int, children: str = "") -> Path:
    folder = proc / pid
    (folder / "task" / "7").mkdir(parents=True)
    (folder / "statm").write_text(f"900 {pages} 3 4 5 6 7\n")
    (folder / "task" / "7" / "children").write_text(children)
    return folder


def test_it_is_the_sum_of_the_process_and_its_children(tmp_path: Path) -> None:
    process(tmp_path, "11", 20)
    process(tmp_path, "12", 30)

    assert memory_bytes(process(tmp_path, "self", 10, "11 12 ")) == 60 * PAGE


def test_a_child_that_has_ended_meanwhile_takes_nothing(tmp_path: Path) -> None:
    assert memory_bytes(process(tmp_path, "self", 10, "11")) == 10 * PAGE


def test_a_system_that_does_not_tell_it_has_none(tmp_path: Path) -> None:
    assert memory_bytes(tmp_path / "none") is None
