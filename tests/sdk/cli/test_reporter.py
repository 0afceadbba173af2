"""The process that reports a command: lines of what it wrote, what is missing, and the end."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

from taskroom import server
from taskroom.cli.frames import END, LOST, STDERR, STDOUT, Frame, encoded
from taskroom.cli.reporter import About, RunReporter
from tests.sdk.memory import MemoryClient

OUTPUT = [Frame(STDOUT, 1.0, b"one\ntw"), Frame(STDERR, 2.0, b"bad\n")]


class Storing(MemoryClient):
    """Its server has all, at once."""

    refused: str | None = None

    def drain(self, timeout: float) -> bool:
        return True

    def close(self) -> bool:
        return True


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Storing:
    client = Storing()
    monkeypatch.setattr(server, "connect", lambda url, key: client)
    return client


def told(*frames: Frame) -> list[Any]:
    """What the other process hears when it writes these frames, and nothing more."""
    ours, its = socket.socketpair()
    with ours, its:
        ours.sendall(b"".join(map(encoded, frames)))
        ours.shutdown(socket.SHUT_WR)
        RunReporter(its, About("run", {"job_type": "x"}, "https://rooms.example", "trk_x")).run()
        its.shutdown(socket.SHUT_WR)
        with ours.makefile() as answers:
            return [json.loads(line) for line in answers]


def test_lines_and_the_end(client: Storing) -> None:
    end = Frame(END, 3.0, b'{"status": "FAILURE", "linger": 1.0, "error": {"type": "T", "message": "m"}}')

    assert told(*OUTPUT, end) == [{"note": None}]

    assert client.lines("run") == [
        ("INFO", "one", "stdout"),
        ("WARNING", "bad", "stderr"),
        ("INFO", "tw", "stdout"),
    ]
    assert client.statuses("run") == ["STARTED", "FAILURE"]
    assert client.of("run")[-1]["error"] == {"type": "T", "message": "m"}
    assert [line["timestamp"] for line in client.of("run", "log")][:2] == [
        "1970-01-01T00:00:01.000000Z",
        "1970-01-01T00:00:02.000000Z",
    ]


def test_what_was_dropped_is_a_line_in_its_place(client: Storing) -> None:
    missing = Frame(LOST, 2.0, STDOUT + b"1200")
    rest = Frame(STDOUT, 3.0, b"e beginning of this line is missing\nlast\n")

    told(OUTPUT[0], missing, rest)

    assert client.lines("run") == [
        ("INFO", "one", "stdout"),
        ("INFO", "tw", "stdout"),
        ("WARNING", "1,200 lines of stdout are missing here: they came too fast", "taskroom"),
        ("INFO", "last", "stdout"),
    ]


def test_without_an_end_taskroom_was_killed(client: Storing) -> None:
    told(*OUTPUT)

    end = client.of("run")[-1]
    assert (end["status"], end["error"]["type"]) == ("FAILURE", "Killed")
    assert ("INFO", "tw", "stdout") in client.lines("run")


def test_what_the_server_does_not_take_is_said(client: Storing) -> None:
    client.refused = "Attempt 7 is over"

    assert told(*OUTPUT) == [{"note": "the server did not take all of this run: Attempt 7 is over"}]


def test_a_progress_bar_is_told_of_while_it_goes_on_and_not_more_often_than_asked(
    client: Storing, monkeypatch: pytest.MonkeyPatch
) -> None:
    bar = [Frame(STDERR, float(n), b"%d %%\r" % (10 * n)) for n in (1, 2, 2)]
    monkeypatch.setattr("taskroom.cli.reporter.BAR_SECONDS", 0.0)
    told(*bar, Frame(STDERR, 3.0, b"100 %\n"), Frame(END, 4.0, b'{"status": "SUCCESS"}'))
    states = [message for _, message, _ in client.lines("run")]
    client.events.clear()
    monkeypatch.setattr("taskroom.cli.reporter.BAR_SECONDS", 3_600.0)
    told(*bar, Frame(STDERR, 3.0, b"100 %\n"), Frame(END, 4.0, b'{"status": "SUCCESS"}'))

    assert states == ["10 %\r", "20 %\r", "100 %"]
    assert [message for _, message, _ in client.lines("run")] == ["100 %"]
