"""Homes for the tests. The database is created once in a test run and copied: its creation takes longer than most of
these tests."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from app.up import migrated
from app.up.home import Home
from tests.support.embedded import EmbeddedPostgres
from tests.support.system import System


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    """Of all processes of the test run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if hasattr(request.config, "workerinput") else base


def made_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """Makes the folder, unless another process of the test run has."""
    done = folder.with_suffix(".made")
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session")
def template_home(shared_folder: Path) -> Path:
    """A home with a stopped database, to copy."""

    def make(folder: Path) -> None:
        with EmbeddedPostgres(Home.open(folder)):
            pass

    return made_once(shared_folder / "a home", make)


@pytest.fixture
def new_root(tmp_path: Path) -> Path:
    """The path of a home that does not exist yet, with a space in it, as a checkout's path may have."""
    return tmp_path / "a home"


@pytest.fixture(scope="session")
def migrated_home(template_home: Path, shared_folder: Path) -> Path:
    """A home with a stopped database that has all tables, to copy."""

    def make(folder: Path) -> None:
        home = Home.open(copied(template_home, folder))
        with EmbeddedPostgres(home) as postgres:
            System(postgres.url, "redis://127.0.0.1:1/0", home.log).migrate()
            migrated.record(home, postgres.url)

    return made_once(shared_folder / "a migrated home", make)


@pytest.fixture
def root(template_home: Path, new_root: Path) -> Path:
    """The path of a home with secrets and a database."""
    return copied(template_home, new_root)


@pytest.fixture
def migrated_root(migrated_home: Path, new_root: Path) -> Path:
    """The path of a home with secrets and a database with all tables."""
    return copied(migrated_home, new_root)


def copied(home: Path, root: Path) -> Path:
    root.mkdir(mode=0o700)
    for name in ("data", "secrets.json"):
        subprocess.run(["cp", "-a", str(home / name), str(root / name)], check=True)
    return root
