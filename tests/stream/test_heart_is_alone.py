"""What may import what: the heart knows no framework, and workers know no eventlet."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = {
    "flask",
    "celery",
    "kombu",
    "flask_socketio",
    "socketio",
    "engineio",
    "eventlet",
    "sqlalchemy",
    "flask_sqlalchemy",
}
HEART = sorted((ROOT / "app/stream").rglob("*.py"))
WORKERS = sorted((ROOT / "workers").rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, also inside functions and for type checking."""
    package = ".".join(path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively within {package}"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", HEART, ids=lambda path: path.name)
def test_the_heart_imports_only_itself_and_the_errors(path: Path):
    for name in imported(path):
        top, _, rest = name.partition(".")
        assert top not in FOREIGN | {"workers"}, f"{path.name} imports {name}"
        assert top != "app" or rest.startswith(("stream.", "errors.")), f"{path.name} imports {name}"


@pytest.mark.parametrize("path", WORKERS, ids=lambda path: path.relative_to(ROOT / "workers").as_posix())
def test_workers_import_no_eventlet(path: Path):
    assert not [name for name in imported(path) if name.partition(".")[0] == "eventlet"]


def test_the_files_were_found():
    assert len(HEART) > 7 and len(WORKERS) > 7
