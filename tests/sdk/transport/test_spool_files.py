"""The files of the spool: what happens without them, whose they are, and one that cannot be read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from taskroom._transport import locks
from tests.sdk.transport.away import SMALL, away, files, report, said
from tests.sdk.transport.conftest import MakeReporter
from tests.sdk.transport.helpers import numbered
from tests.sdk.transport.server import Server


@pytest.mark.parametrize("how", ["none", "a file is there", "no locks", "the disk is full"])
def test_without_a_spool_reporting_goes_on_in_memory(
    make_reporter: MakeReporter, server: Server, spool: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    folder: Any = None if how == "none" else spool
    if how == "a file is there":
        spool.write_text("")
    elif how == "no locks":
        monkeypatch.setattr(locks, "available", False)
    elif how == "the disk is full":

        def full(fd: int, data: Any) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
    reporter = make_reporter(**SMALL, folder=folder)
    reporter.begin("t")
    away(server, reporter)
    report(reporter, 100)
    reporter.client.spool_now()
    server.script.clear()
    reporter.all()

    assert server.messages("t") == [
        *numbered(20),
        "80 events are missing here: there was no room for them",
    ]
    report(reporter, 1, 100)
    reporter.all()
    assert server.messages("t")[-1] == "line 100"


def test_a_spool_that_cannot_be_written_is_said_once(
    make_reporter: MakeReporter, spool: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spool.write_text("")
    reporter = make_reporter()
    for n in range(3):
        reporter.begin(f"t{n}")
        reporter.client.spool_now()

    (message,) = said(caplog)
    assert message.startswith(f"nothing can be kept in the spool {spool}: ")


def test_the_spool_is_for_its_user_alone(make_reporter: MakeReporter, tmp_path: Path) -> None:
    folder = tmp_path / "home" / ".taskroom" / "spool"
    reporter = make_reporter(folder=folder)
    reporter.begin("t")
    reporter.client.spool_now()

    for path in (folder, folder.parent):
        assert path.stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in files(folder)] == [0o600]


def test_a_folder_that_was_open_to_others_is_closed_to_them(make_reporter: MakeReporter, spool: Path) -> None:
    spool.mkdir(mode=0o777)
    spool.chmod(0o777)
    reporter = make_reporter()
    reporter.begin("t")
    reporter.client.spool_now()

    assert spool.stat().st_mode & 0o777 == 0o700


def test_the_key_is_in_no_file(make_reporter: MakeReporter, spool: Path) -> None:
    reporter = make_reporter()
    reporter.begin("t")
    reporter.client.spool_now()

    assert b"trk_test" not in files(spool)[0].read_bytes()
    assert "trk_test" not in repr(reporter.client._settings)


def test_a_file_that_cannot_be_read_does_not_stop_what_comes_later(
    make_reporter: MakeReporter, server: Server, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reporter = make_reporter(**SMALL)
    reporter.begin("t")
    reporter.all()
    away(server, reporter)
    report(reporter, 60)
    server.script.clear()

    def broken(fd: int, length: int, place: int) -> bytes:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pread", broken)
        reporter.after(60)
        reporter.log("t", "later")
        reporter.after(1)

    assert server.messages("t")[-1] == "later"
    assert len(files(spool)) == 1
