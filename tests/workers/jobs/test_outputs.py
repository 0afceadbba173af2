"""What knowledge_base leaves on a machine has an end, in days and in bytes."""

from __future__ import annotations

import os
import time
from pathlib import Path

from workers.jobs import _outputs


def written(folder: Path, name: str, days_ago: float, size: int = 10) -> str:
    (folder / name).write_text(size * "x")
    at = time.time() - days_ago * 86_400
    os.utime(folder / name, (at, at))
    return name


def test_old_outputs_go_and_the_oldest_beyond_the_limit(tmp_path: Path) -> None:
    written(tmp_path, "too old", 31)
    written(tmp_path, "oldest", 3, 40)
    written(tmp_path, ".left by a dead process", 4)
    kept = {
        written(tmp_path, ".being written", 0, 200),
        written(tmp_path, "newer", 2, 50),
        written(tmp_path, "newest", 1, 50),
    }

    assert _outputs.sweep(tmp_path, days=30, most=100) == 3
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_what_is_old_goes_however_small_it_is(tmp_path: Path) -> None:
    written(tmp_path, "too old", 31)
    kept = {written(tmp_path, "old", 29), written(tmp_path, "new", 0)}

    assert _outputs.sweep(tmp_path, days=30, most=0) == 1
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_without_limits_all_stay_and_the_newest_does_whatever_its_size(tmp_path: Path) -> None:
    written(tmp_path, "large", 1, 500)
    written(tmp_path, "ancient", 9_000)

    assert _outputs.sweep(tmp_path, days=0, most=0) == 0
    assert _outputs.sweep(tmp_path, days=0, most=100) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["large"]
