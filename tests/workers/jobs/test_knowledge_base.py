from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from marshmallow import ValidationError

if TYPE_CHECKING:
    from conftest import Recorder

Load = Callable[..., ModuleType]
PYTHON = '''"""Sails the boat.

More of it."""

class Sail:
    """A sheet of canvas."""
    def hoist(self): return self.canvas

def reef_sail(canvas): pass
'''


@pytest.fixture
def content(tmp_path: Path) -> Path:
    root = tmp_path / "content"
    files = {
        "boats/sail.py": PYTHON,
        "boats/copy.py": PYTHON,
        "boats/notes.md": "# Mooring\n\nHow to moor a boat\nin harbour.\n\nSecond paragraph about mooring.",
        "boats-1.2.dist-info/README.txt": "Boats and harbours",
        "readme.txt": "Boats, boats and harbour",
        "ignored.bin": "x",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def run(load: Load, content: Path, **params: Any) -> dict[str, Any]:
    module = load("knowledge_base", content_roots=(content,))
    result: dict[str, Any] = module.knowledge_base(**module.KnowledgeBaseParams().load(params))
    json.dumps(result)
    return result


def entries(recorder: Recorder) -> dict[str, dict[str, Any]]:
    lines = recorder.outputs["knowledge_base.jsonl"].decode().split("\n")
    assert lines.pop() == ""
    return {entry["path"]: entry for entry in map(json.loads, lines)}


def test_a_run(load: Load, content: Path, recorder: Recorder) -> None:
    result = run(load, content)
    assert recorder.names() == ["content_caching", "content_processing", "categorization", "kb_generation"]
    assert all(phase.completed and phase.total == phase.processed == 5 for phase in recorder.phases)
    assert (result["files"], result["processed"], result["errors"], result["duplicates"]) == (5, 5, 0, 1)
    assert (result["definitions"], result["documented_definitions"], result["limited"]) == (6, 2, False)
    assert result["topics"][0]["name"] == "boats"
    assert result["topics"][0]["files"] == 4
    written = entries(recorder)
    sail = written["boats/sail.py"]
    assert (sail["title"], sail["summary"], sail["topic"]) == ("boats.sail", "Sails the boat.", "boats")
    assert {"canvas", "sail"} <= set(sail["keywords"])
    assert written["boats/notes.md"]["title"] == "Mooring"
    assert written["boats/notes.md"]["summary"] == "How to moor a boat in harbour."
    assert "Processed boats/sail.py: 3 definitions, 10 lines" in recorder.at("INFO")


def test_two_runs_write_the_same(load: Load, content: Path, recorder: Recorder) -> None:
    first = run(load, content)
    before = dict(recorder.outputs)
    assert run(load, content) == first
    assert recorder.outputs == before
    assert list(before) == [first["output"]]


def test_what_cannot_be_used_is_an_error_and_never_fatal(
    load: Load, content: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = {
        b"syntax.py": b"def (:\n",
        b"binary.py": b"\0\1\2",
        b"latin.txt": b"caf\xe9",
        b"caf\xe9.py": b"=",
        b"deep.py": b"(" * 5000,
        b"deep2.py": b"x = " + b"-" * 50_000 + b"1",
        b"surrogate.py": b'"""\\ud800 lone"""',
        b"escape.py": b"'\\d'",
    }
    for name, data in bad.items():
        (content / os.fsdecode(name)).write_bytes(data)
    (content / "vanishes.py").write_text("")
    (content / "huge.py").write_bytes(b"harbour = 1\n" * 100_000)
    os.mkfifo(content / "pipe.py")
    (content / "loop.py").symlink_to("loop.py")
    (content / "up").symlink_to("..")

    module = load("knowledge_base", content_roots=(content,))
    read: Callable[[Path, int], tuple[bytes, bool]] = module._files.read_bounded

    def vanish(path: Path, limit: int) -> tuple[bytes, bool]:
        (content / "vanishes.py").unlink(missing_ok=True)
        return read(path, limit)

    monkeypatch.setattr(module._files, "read_bounded", vanish)
    result = module.knowledge_base(**module.KnowledgeBaseParams().load({}))
    assert (result["files"], result["processed"], result["errors"]) == (15, 8, 7)
    assert {f["path"] for f in result["failed_files"]} == {
        "vanishes.py", "syntax.py", "binary.py", "latin.txt", "caf\\xe9.py", "deep.py", "deep2.py",
    }  # fmt: skip
    assert recorder["content_caching"].errors == 1
    assert recorder["content_processing"].errors == 6
    assert "Skipped vanishes.py: No such file or directory" in recorder.at("WARNING")
    assert "huge.py is cut at 1000000 bytes" in recorder.at("WARNING")
    assert entries(recorder)["surrogate.py"]["summary"] == "? lone"
    for message, _ in recorder.logs:
        message.encode()


def test_limit_takes_the_first_paths(load: Load, content: Path, recorder: Recorder) -> None:
    result = run(load, content, limit=2, pattern="**/*.{py,md}")
    assert result["limited"] is True
    assert list(entries(recorder)) == ["boats/copy.py", "boats/notes.md"]


def test_a_full_cache_leaves_files_out(
    load: Load, content: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load("knowledge_base", content_roots=(content,))
    monkeypatch.setattr(module, "MAX_CACHE_BYTES", 100)
    result = module.knowledge_base(**module.KnowledgeBaseParams().load({}))
    assert result["processed"] < result["files"]
    assert any(re.match(r"The cache is full; \d files are left out", text) for text in recorder.at("WARNING"))


def test_a_full_output_leaves_entries_out(
    load: Load, content: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load("knowledge_base", content_roots=(content,))
    monkeypatch.setattr(module, "MAX_OUTPUT_BYTES", 500)

    result = module.knowledge_base(**module.KnowledgeBaseParams().load({}))

    assert 0 < len(recorder.outputs[result["output"]]) <= 500
    assert any(
        re.match(r"The output is full; \d+ entries are left out", text) for text in recorder.at("WARNING")
    )


def test_nothing_to_read_fails_clearly(load: Load, content: Path) -> None:
    with pytest.raises(ValueError, match="no file below the root matches"):
        run(load, content, pattern="*.nothing")


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"root": ".."}, "root"),
        ({"root": "/etc"}, "root"),
        ({"root": 7}, "root"),
        ({"pattern": ""}, "pattern"),
        ({"pattern": "{a"}, "pattern"),
        ({"limit": 0}, "limit"),
        ({"limit": 20_001}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"other": 1}, "other"),
    ],
)
def test_bad_parameters_are_refused(load: Load, content: Path, params: dict[str, Any], field: str) -> None:
    module = load("knowledge_base", content_roots=(content,))
    with pytest.raises(ValidationError) as refusal:
        module.KnowledgeBaseParams().load(params)
    assert list(refusal.value.messages_dict) == [field]


def test_a_root_that_turned_into_a_link_is_refused_when_the_job_runs(load: Load, content: Path) -> None:
    module = load("knowledge_base", content_roots=(content,))
    params = module.KnowledgeBaseParams().load({"root": "boats"})
    (content / "boats").rename(content / "moved")
    (content / "boats").symlink_to("/etc")
    with pytest.raises(ValueError, match="content roots"):
        module.knowledge_base(**params)


def test_a_cancel_while_writing_leaves_nothing_behind(
    load: Load, content: Path, tmp_path: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    class Cancelled(BaseException):
        pass

    module = load("knowledge_base", content_roots=(content,))

    def track(items: list[Any], phase: str, message: str) -> Any:
        if phase == "kb_generation":
            yield items[0]
            raise Cancelled
        yield from recorder.track(items, phase, message)

    monkeypatch.setattr(module, "track", track)
    with pytest.raises(Cancelled):
        module.knowledge_base(**module.KnowledgeBaseParams().load({}))
    assert recorder.outputs == {}
    assert list(tmp_path.glob("taskroom-output-*")) == []
