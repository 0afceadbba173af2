"""Homes for the tests. The database is created once and copied: its creation takes longer than most of these tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from app.up.home import Home
from tests.support.embedded import EmbeddedPostgres


@pytest.fixture(scope="session")
def template_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a stopped database, to copy."""
    home = Home.open(tmp_path_factory.mktemp("template") / "a home")
    with EmbeddedPostgres(home):
        pass
    return home


@pytest.fixture
def new_root(tmp_path: Path) -> Path:
    """The path of a home that does not exist yet, with a space in it, as a checkout's path may have."""
    return tmp_path / "a home"


@pytest.fixture
def root(template_home: Home, new_root: Path) -> Path:
    """The path of a home with secrets and a database."""
    new_root.mkdir(mode=0o700)
    for name in ("data", "secrets.json"):
        subprocess.run(["cp", "-a", str(template_home.root / name), str(new_root / name)], check=True)
    return new_root
