"""What a task prints, as lines: by stream, one at each newline."""

from __future__ import annotations

import codecs
import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from taskroom import output as lines
from taskroom import threads
from tests.support.system import User
from tests.workers.kept import OTHER, TASK, Kept, run_of
from workers import capture, contexts, current, output

Line = tuple[str, str, str | None]


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(logging.getLogger(), "level", logging.INFO)
    contexts.install()
    yield
    threads.uninstall()


def printed(work: Callable[[], Any], task_id: str = TASK) -> list[Line]:
    kept = Kept()
    run = run_of(kept, task_id)
    before = sys.stdout, sys.stderr
    output.install()
    capture.install()
    try:
        with current.running(run), lines.finished(run):
            work()
    finally:
        sys.stdout, sys.stderr = before
    return kept.lines()


def out(*lines: str) -> list[Line]:
    return [("INFO", line, "stdout") for line in lines]


@pytest.mark.parametrize(
    ("work", "lines"),
    [
        (lambda: print("a", "b"), out("a b")),
        (lambda: print("a\nb"), out("a", "b")),
        (lambda: print("no newline", end=""), out("no newline")),
        (lambda: print("100 % of it"), out("100 % of it")),
        (
            lambda: json.dump({"a": [1, 2], "b": {"c": None}}, sys.stdout),
            out('{"a": [1, 2], "b": {"c": null}}'),
        ),
        (
            lambda: [print(f"\r{n} %", end="", flush=True) for n in range(100)] and print("\rdone"),
            out("done"),
        ),
        (lambda: [print(f"{n} %", end="\r") for n in range(100)], out("99 %")),
        (lambda: print("dos\r\n", end=""), out("dos")),
        (lambda: print("\n\n"), []),
        (lambda: sys.stdout.buffer.write("bytes ü\n".encode()), out("bytes ü")),
        (lambda: [sys.stdout.buffer.write(bytes([byte])) for byte in "é€\n".encode()], out("é€")),
        (lambda: sys.stdout.buffer.write(memoryview(b"a view\n")), out("a view")),
        (lambda: sys.stdout.buffer.write(b"a \xff b\n"), out("a \ufffd b")),
        (lambda: sys.stdout.reconfigure(encoding="utf-8", line_buffering=True) or print("on"), out("on")),
        (
            lambda: print("wrapped ü", file=io.TextIOWrapper(sys.stdout.buffer, "utf-8"), flush=True),
            out("wrapped ü"),
        ),
        (lambda: codecs.getwriter("utf-8")(sys.stdout.detach()).write("detached ü\n"), out("detached ü")),
        (lambda: sys.stdout.close() or print("open"), out("open")),
        (
            lambda: print(sys.stdout.name, sys.stdout.mode, sys.stdout.errors, sys.stdout.line_buffering),
            out("<stdout> w replace True"),
        ),
        (lambda: print("x" * 40_000), out("x" * 16_384, "x" * 16_384, "x" * 7_232)),
    ],
)
def test_a_line_ends_at_its_newline(work: Callable[[], Any], lines: list[Line]) -> None:
    assert printed(work) == lines


def test_half_a_letter_that_a_task_leaves_is_no_later_tasks() -> None:
    assert printed(lambda: sys.stdout.buffer.write("é".encode()[:1])) == []
    assert printed(lambda: sys.stdout.buffer.write(b"mine\n"), OTHER) == out("mine")


def test_stderr_is_marked() -> None:
    assert printed(lambda: print("oh", file=sys.stderr)) == [("WARNING", "oh", "stderr")]


def test_two_threads_do_not_write_into_each_others_line() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def other() -> None:
        print("other ", end="")
        begun.set()
        assert go_on.wait(60)
        print("line")

    def work() -> None:
        thread = threading.Thread(target=other)
        thread.start()
        assert begun.wait(60)
        print("mine")
        go_on.set()
        thread.join(60)

    assert printed(work) == out("mine", "other line")


def test_a_line_that_an_earlier_task_began_is_no_later_tasks() -> None:
    lingering: list[threading.Thread] = []
    begun, go_on = threading.Event(), threading.Event()

    def left() -> None:
        print("begun ", end="")
        begun.set()
        assert go_on.wait(60)
        print("too late")

    def first() -> None:
        lingering.append(threading.Thread(target=left))
        lingering[0].start()
        assert begun.wait(60)

    def second() -> None:
        go_on.set()
        lingering[0].join(60)

    assert printed(first) == out("begun ")
    assert printed(second, OTHER) == []


def test_a_line_that_was_begun_before_a_task_is_not_the_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", output.OutputLines("stdout", logging.INFO, sys.__stdout__))
    print("of the worker's, ", end="")

    assert printed(lambda: print("mine")) == out("mine")


def test_what_somebody_else_has_begun_does_not_end_with_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", output.OutputLines("stdout", logging.INFO, sys.__stdout__))
    begun, go_on = threading.Event(), threading.Event()

    def other() -> None:
        print("of the worker's, ", end="")
        begun.set()
        assert go_on.wait(60)

    thread = threading.Thread(target=other)
    thread.start()
    assert begun.wait(60)

    assert printed(lambda: print("mine")) == out("mine")
    go_on.set()
    thread.join(60)


def test_a_forked_child_does_not_end_the_line_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    def work() -> None:
        print("the parent's, ", end="")
        with monkeypatch.context() as patch:
            patch.setattr(os, "getpid", lambda: -1)
            print("the child's", end="")
            lines.finish(current.get())

    assert printed(work) == out("the child's"), "of the child's copy; the parent has its own"


def test_an_exception_that_ends_a_thread_is_one_line() -> None:
    def work() -> None:
        thread = threading.Thread(target=lambda: 1 / 0, name="dividing")
        thread.start()
        thread.join(60)

    ((level, message, component),) = printed(work)

    assert (level, component) == ("ERROR", "threading")
    assert message.startswith("An exception ended the thread dividing\nTraceback")
    assert message.endswith("ZeroDivisionError: division by zero")


def test_a_program_may_be_given_the_stream(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    with (tmp_path / "worker.log").open("w") as log:
        monkeypatch.setattr(sys, "stdout", output.OutputLines("stdout", logging.INFO, log))
        subprocess.run([sys.executable, "-c", "print('from a program')"], stdout=sys.stdout, check=True)

    assert (tmp_path / "worker.log").read_text() == "from a program\n"


def test_a_worker_stores_them_so(user: User) -> None:
    task_id = user.start("test_prints")
    user.finished(task_id)

    lines = [(x["level"], x["message"], x["component"]) for x in user.get(f"tasks/{task_id}/logs")["logs"]]

    assert lines == [
        ("INFO", "a b", "stdout"),
        ("WARNING", "careful", "stderr"),
        ("INFO", '{"a": [1, 2]}', "stdout"),
    ]
