"""Homes for the tests. The database is created once and copied: its creation takes longer than most of these tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from app.up import migrated
from app.up.home import Home
from tests.support.embedded import EmbeddedPostgres
from tests.support.system import System


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


@pytest.fixture(scope="session")
def migrated_home(template_home: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with a stopped database that has all tables, to copy."""
    home = Home.open(copied(template_home, tmp_path_factory.mktemp("migrated") / "a home"))
    with EmbeddedPostgres(home) as postgres:
        System(postgres.url, "redis://127.0.0.1:1/0", home.log).migrate()
        migrated.record(home, postgres.url)
    return home


@pytest.fixture
def root(template_home: Home, new_root: Path) -> Path:
    """The path of a home with secrets and a database."""
    return copied(template_home, new_root)


@pytest.fixture
def migrated_root(migrated_home: Home, new_root: Path) -> Path:
    """The path of a home with secrets and a database with all tables."""
    return copied(migrated_home, new_root)


def copied(home: Home, root: Path) -> Path:
    root.mkdir(mode=0o700)
    for name in ("data", "secrets.json"):
        subprocess.run(["cp", "-a", str(home.root / name), str(root / name)], check=True)
    return root
