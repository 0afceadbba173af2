"""Homes to start in. Making a database takes longer than most of what these tests look at, so it is made once."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from app.up.embedded_postgres import EmbeddedPostgres
from app.up.home import Home


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """One whose database is there and at rest, to copy from."""
    home = Home.open(tmp_path_factory.mktemp("made") / "a home")
    with EmbeddedPostgres(home, home.secrets):
        pass
    return home


@pytest.fixture
def new_root(tmp_path: Path) -> Path:
    """Of a home that is not there yet; with a space in the path, as a checkout may have."""
    return tmp_path / "a home"


@pytest.fixture
def root(made: Home, new_root: Path) -> Path:
    """Of a home with secrets and a database."""
    new_root.mkdir(mode=0o700)
    for name in ("data", "secrets.json"):
        subprocess.run(["cp", "-a", str(made.root / name), str(new_root / name)], check=True)
    return new_root
