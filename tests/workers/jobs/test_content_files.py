"""Reading files that others chose: nothing outside the root, nothing that blocks, nothing unbounded."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from workers.jobs import _files


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("**/*.py", "a.py", True),
        ("**/*.py", "a/b/c.py", True),
        ("*.py", "a/b.py", False),
        ("a/*/c.py", "a/b/c.py", True),
        ("a/*/c.py", "a/b/b/c.py", False),
        ("a/**/c.py", "a/c.py", True),
        ("**/{docs,src}/*.{md,rst}", "x/docs/y.rst", True),
        ("**/{docs,src}/*.{md,rst}", "x/docs/y.txt", False),
        ("**/[a-c]?.txt", "d/b1.txt", True),
        ("**/[!a-c]?.txt", "d/b1.txt", False),
        ("{a,{b,c}}.md", "c.md", True),
        ("a.py", "a.pyc", False),
        ("../*", "a", False),
    ],
)
def test_pattern(pattern: str, path: str, expected: bool) -> None:
    assert _files.compile_pattern(pattern)(path) is expected


@pytest.mark.parametrize("pattern", ["{a", "a}", "{a,b}" * 8])
def test_pattern_with_bad_braces_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="brace"):
        _files.compile_pattern(pattern)


def test_hostile_pattern_takes_no_exponential_time() -> None:
    started = time.monotonic()
    assert not _files.compile_pattern("**/" * 40 + "*a" * 30 + "b")("/".join(["a" * 60] * 40))
    assert time.monotonic() - started < 60  # exponential, it would be years


def test_root_defaults_to_the_first_content_root(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    assert _files.resolve_root(None, [tmp_path]) == _files.resolve_root("", [tmp_path]) == tmp_path
    assert _files.resolve_root("docs", [tmp_path]) == tmp_path / "docs"
    assert _files.resolve_root(str(tmp_path / "docs"), [tmp_path]) == tmp_path / "docs"
    assert _files.resolve_root("docs/../docs", [tmp_path]) == tmp_path / "docs"


def test_root_outside_is_refused_however_it_is_written(tmp_path: Path) -> None:
    inside = tmp_path / "content"
    beside = tmp_path / "content-secret"
    inside.mkdir()
    beside.mkdir()
    (inside / "link").symlink_to(beside)
    (inside / "loop").symlink_to("loop")
    (inside / "file").write_text("x")
    outside = ["..", "../content-secret", str(beside), "/", "link", "link/.", "loop", "missing", "file"]
    for root in [*outside, "nul\0", "\ud800", "a" * 5000]:
        with pytest.raises(ValueError) as refusal:
            _files.resolve_root(root, [inside])
        assert str(refusal.value) == _files.OUTSIDE, "an answer of its own tells what exists outside"


def test_no_content_root_says_what_to_set() -> None:
    with pytest.raises(ValueError, match="CONTENT_ROOTS"):
        _files.resolve_root(None, [])


def test_walk_is_ordered_and_follows_no_link(tmp_path: Path) -> None:
    for name in ("b/2.py", "b/1.py", "a/x.py", "top.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "b" / "loop").symlink_to(tmp_path)
    (tmp_path / "a" / "link.py").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "a" / "pipe.py")
    assert [name for folder in _files.walk(tmp_path) for name in folder.files] == [
        "top.py", "a/x.py", "b/1.py", "b/2.py",
    ]  # fmt: skip


def test_walk_tells_of_a_folder_that_vanished(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    folders = _files.walk(tmp_path)
    assert next(folders).error is None
    (tmp_path / "gone").rmdir()
    assert [(folder.path, folder.error) for folder in folders] == [("gone/", "No such file or directory")]


def test_read_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 100)
    assert _files.read_bounded(tmp_path / "f", 99) == (b"x" * 99, True)
    assert _files.read_bounded(tmp_path / "f", 100) == (b"x" * 100, False)


def test_read_never_opens_what_took_the_place_of_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "link").symlink_to("secret")
    for path in (tmp_path / "pipe", tmp_path / "link", tmp_path, tmp_path / "missing", Path("/dev/zero")):
        with pytest.raises(OSError):
            _files.read_bounded(path, 10)


def test_decode() -> None:
    def decode(data: bytes, *, python: bool = False, truncated: bool = False) -> str:
        return _files.decode(data, python=python, truncated=truncated)

    assert decode("\ufeffgrüß".encode()) == "grüß"
    assert decode(b"# coding: latin-1\n# \xfc", python=True).endswith("ü")
    assert decode(b"# coding: utf-7\n'+2AA-'", python=True).isascii(), "a lone surrogate"
    assert decode("eins\nzwü".encode()[:-1], truncated=True) == "eins\n"
    assert decode("zwü".encode()[:-1], truncated=True) == "zw"
    bad = [(b"\xff", True), (b"\xff", False), (b"a\0b", False), (b"# coding: nonsense\n", True)]
    for data, python in [*bad, (b"# coding: rot13\n", True)]:
        with pytest.raises(ValueError):
            decode(data, python=python)


def test_printable_names_bytes_that_are_no_text() -> None:
    assert _files.printable(os.fsdecode(b"caf\xe9/\xc3\xa9")) == "caf\\xe9/é"
