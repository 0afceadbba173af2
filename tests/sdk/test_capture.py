"""What ``logging`` and ``print`` say in a run becomes its log, and the program's own output stays as it is."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import taskroom
from tests.sdk.memory import MemoryClient

ROOT = Path(__file__).resolve().parents[2]
logger = logging.getLogger("tests.sdk")


def test_records_become_lines_with_their_level_logger_and_traceback(client: MemoryClient) -> None:
    with taskroom.run("train") as run:
        logger.info("loss %.1f", 0.25)
        logger.debug("below the level")
        try:
            raise KeyError("inner")
        except KeyError:
            logger.exception("failed")

    (info, error) = client.lines(run.id)
    assert info == ("INFO", "loss 0.2", "tests.sdk")
    assert error[0] == "ERROR"
    assert error[1].startswith("failed\nTraceback") and "KeyError: 'inner'" in error[1]


def test_what_does_not_reach_the_root_logger_is_no_line(
    client: MemoryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("tests.sdk.secret"), "propagate", False)
    with taskroom.run("train") as run:
        logging.getLogger("tests.sdk.secret.deeper").warning("kept to itself")
        logging.getLogger("taskroom.transport").warning("of the package itself")

    assert client.lines(run.id) == []


def test_a_cancelled_run_is_not_stopped_by_a_library_that_logs(client: MemoryClient) -> None:
    with taskroom.run("train") as run:
        client.cancel(run.id)
        logger.warning("goes on")

    assert client.lines(run.id) == [("WARNING", "goes on", "tests.sdk")]


def test_prints_become_lines_and_are_printed_as_ever(
    client: MemoryClient, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sys.stdout, sys.stderr
    with taskroom.run("train") as run:
        print("a", "b")
        print("10 %", end="\r")
        print("20 %", end="\r", flush=True)
        print("careful", file=sys.stderr)
    print("after")

    assert client.lines(run.id) == [
        ("INFO", "a b", "stdout"),
        ("WARNING", "careful", "stderr"),
        ("INFO", "20 %", "stdout"),
    ]
    out, err = capsys.readouterr()
    assert (out, err) == ("a b\n10 %\r20 %\rafter\n", "careful\n")
    assert (sys.stdout, sys.stderr) == before


def test_what_a_handler_prints_is_one_line(client: MemoryClient, capsys: pytest.CaptureFixture[str]) -> None:
    with taskroom.run("train") as run:
        handler = logging.StreamHandler(sys.stdout)
        logger.addHandler(handler)
        try:
            logger.warning("once")
        finally:
            logger.removeHandler(handler)

    assert client.lines(run.id) == [("WARNING", "once", "tests.sdk")]
    assert capsys.readouterr().out == "once\n"


def test_prints_may_be_left_alone(client: MemoryClient) -> None:
    before = sys.stdout
    with taskroom.run("train", stdout=False) as run:
        assert sys.stdout is before
        print("not a line")

    assert client.lines(run.id) == []


def test_the_stream_is_in_all_else_as_the_original(
    client: MemoryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = io.TextIOWrapper(io.BytesIO(), encoding="latin-1", errors="replace")
    monkeypatch.setattr(sys, "stdout", original)
    with taskroom.run("train") as run:
        sys.stdout.buffer.write(b"\xff\x00 bytes")
        print("ü€")
        sys.stdout.flush()
        assert (sys.stdout.encoding, sys.stdout.errors) == ("latin-1", "replace")
        assert not sys.stdout.isatty()
        assert sys.stdout.line_buffering == original.line_buffering

    assert original.buffer.getvalue() == b"\xff\x00 bytes\xfc?\n"  # type: ignore[attr-defined]
    assert client.lines(run.id) == [("INFO", "ü€", "stdout")]


def test_runs_in_threads_have_their_own_prints(client: MemoryClient) -> None:
    before, together = sys.stdout, threading.Barrier(2)
    ids = {}

    def work(name: str) -> None:
        with taskroom.run(name) as run:
            ids[name] = run.id
            together.wait(60)
            print(name)
            together.wait(60)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert {name: client.lines(ids[name]) for name in ids} == {
        name: [("INFO", name, "stdout")] for name in ("one", "two")
    }
    assert sys.stdout is before


def test_threads_and_executors_of_the_run_report_to_it(client: MemoryClient) -> None:
    def fail() -> None:
        raise OSError("no disk")

    with taskroom.run("train") as run, ThreadPoolExecutor(1) as executor:
        executor.submit(taskroom.log, "from the executor").result(60)
        for target in (lambda: print("printed"), fail):
            thread = threading.Thread(target=target, name="worker")
            thread.start()
            thread.join(60)

    executed, printed, failed = client.lines(run.id)
    assert executed == ("INFO", "from the executor", None)
    assert printed == ("INFO", "printed", "stdout")
    assert (failed[0], failed[2]) == ("ERROR", "threading")
    assert failed[1].startswith("An exception ended the thread worker\nTraceback")


def test_greenlets_of_the_run_report_to_it() -> None:
    program = """
import gevent.monkey
gevent.monkey.patch_all()
import gevent, taskroom
from taskroom import server
from tests.sdk.memory import MemoryClient
client = MemoryClient()
server.connect = lambda url, key: client
with taskroom.run("train", url="x", key="x") as run:
    gevent.joinall([gevent.spawn(taskroom.log, "spawned"), gevent.spawn(print, "printed")])
print(client.lines(run.id))
"""
    done = subprocess.run(
        (sys.executable, "-c", program), cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout == "printed\n[('INFO', 'spawned', None), ('INFO', 'printed', 'stdout')]\n"


def test_who_asked_for_the_exceptions_of_threads_still_has_them(
    client: MemoryClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = []
    monkeypatch.setattr(threading, "excepthook", lambda args: heard.append(args.exc_type))
    with taskroom.run("train"):
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join(60)

    assert heard == [ZeroDivisionError]


def test_logging_may_be_configured_after_a_run_and_warns_without_being_configured() -> None:
    program = """
import logging, taskroom
logger = logging.getLogger("x")
with taskroom.run("train"):
    logger.warning("in the run")
logger.warning("printed although nothing is configured")
with taskroom.run("train"):
    logging.basicConfig(format="%(levelname)s %(message)s", level="INFO")
    logger.info("configured")
"""
    done = subprocess.run(
        (sys.executable, "-W", "error", "-c", program), capture_output=True, text=True, check=True, env={}
    )

    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "runs are reported nowhere: set TASKROOM_URL and TASKROOM_KEY, or pass url= and key=",
        "in the run",
        "printed although nothing is configured",
        "INFO configured",
    ]
