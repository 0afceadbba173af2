"""One noun, one file: none is so long that it holds several."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST = {
    "app": 250,
    "workers": 250,
    "sdk": 250,
    "tests": 300,
    "bench": 300,
    "script": 300,
    "static/src": 250,
}
SOURCES = {".py", ".ts", ".tsx", ".css"}


@pytest.mark.parametrize("folder", LONGEST)
def test_no_file_is_longer_than_one_noun_needs(folder: str) -> None:
    files = [
        path
        for path in (ROOT / folder).rglob("*")
        if path.suffix in SOURCES and "node_modules" not in path.parts
    ]

    lengths = {path.relative_to(ROOT).as_posix(): len(path.read_text().splitlines()) for path in files}

    assert files
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST[folder]} == {}
