"""The command as a person has it: its own processes, against the shared Taskroom or none."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.up.embedded import free_port
from tests.sdk.cli.command import Command
from tests.sdk.cli.runs import key_of
from tests.support.system import System, User


@pytest.fixture(scope="package", autouse=True)
def signals_that_are_not_ignored() -> Iterator[None]:
    """Whoever runs the tests may have told them to ignore signals (``nohup``, ``&`` in a script), and a command that
    begins so goes on ignoring them. A handler is not inherited, and this process stays as deaf as it is to be."""
    ignored = [
        number
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)
        if signal.getsignal(number) is signal.SIG_IGN
    ]
    for number in ignored:
        signal.signal(number, lambda number, frame: None)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def taskroom(system: System, user: User, tmp_path: Path) -> Command:
    """The command, with the shared Taskroom and a key of ``user``."""
    return Command(system.url, key_of(user, "report", "read", "start", "act"), tmp_path / "spool")


@pytest.fixture
def away(tmp_path: Path) -> Command:
    """The command, with a Taskroom that is away."""
    return Command(f"http://127.0.0.1:{free_port()}", "trk_of_a_test", tmp_path / "spool")


@pytest.fixture
def nowhere(tmp_path: Path) -> Command:
    """The command, where nothing is set."""
    return Command(None, None, tmp_path / "spool")
