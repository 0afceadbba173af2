"""Signals of ``taskroom run``: its own reach the command, those of a terminal once, and a cancel ends it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskroom.cli import child
from taskroom.cli.child import Child
from taskroom.cli.signals import HandledSignals, Signals
from tests.sdk.cli.command import Command
from tests.sdk.cli.runs import said, the_run
from tests.sdk.cli.terminal import Terminal, terminal
from tests.support.system import User, wait_for

# Says which signals it gets, and ends with status 5 after the last one that it waits for.
COUNTS = """
import signal, sys, time
got = []
def take(number, frame):
    got.append(signal.Signals(number).name)
    print(*got, flush=True)
for name in ("HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH", "CONT"):
    signal.signal(getattr(signal, "SIG" + name), take)
print("ready", flush=True)
while sys.argv[1] not in got:
    time.sleep(0.01)
sys.exit(5)
"""
WITHOUT_SIGTIMEDWAIT = """
import signal, sys
del signal.sigtimedwait
from taskroom.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


class Handled(Command):
    """The command as on a system that has no sigtimedwait."""

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-c", WITHOUT_SIGTIMEDWAIT, *words]


@pytest.fixture(params=[Command, Handled])
def nowhere(request: pytest.FixtureRequest, tmp_path: Path) -> Command:
    found: Command = request.param(None, None, tmp_path)
    return found


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGCONT"])
def test_a_signal_to_taskroom_is_the_commands(nowhere: Command, name: str) -> None:
    with nowhere.start("run", "-q", "--", sys.executable, "-c", COUNTS, name) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"

        process.send_signal(getattr(signal, name))

        assert process.stdout.read() == name.encode() + b"\n"
    assert process.returncode == 5


def test_a_signal_that_was_ignored_before_stays_ignored(nowhere: Command) -> None:
    shown = "import signal; print(*(signal.getsignal(getattr(signal, n)).name for n in ('SIGHUP', 'SIGINT')))"
    words = " ".join(f"'{word}'" for word in nowhere.argv("run", "-q", "--", sys.executable, "-c"))
    line = f'trap "" HUP INT; exec {words} "{shown}"'
    done = nowhere.shell(line)

    assert (done.returncode, done.stdout) == (0, "SIG_IGN SIG_IGN\n")


@pytest.fixture
def person(nowhere: Command) -> Iterator[Terminal]:
    """Before a terminal in which a command counts its signals, until SIGTERM."""
    with terminal(
        nowhere.argv("run", "-q", "--", sys.executable, "-c", COUNTS, "SIGTERM"), nowhere.env
    ) as found:
        # The whole line: where Python does not buffer, its end is a write of its own, which a signal interrupts, and
        # which is repeated when the handlers have returned.
        found.wait_for("ready\r\n")
        yield found


def test_a_key_of_the_terminal_is_one_signal(person: Terminal) -> None:
    person.type("\x03")
    person.wait_for("SIGINT\r\n")
    person.type("\x1c")
    person.wait_for("SIGINT SIGQUIT\r\n")
    person.process.send_signal(signal.SIGTERM)

    assert (
        person.rest().replace("^\\", "") == "SIGINT SIGQUIT SIGTERM\r\n"
    )  # the echo of the key may come late
    assert person.process.wait(60) == 5


def test_another_size_of_the_terminal_is_the_commands(nowhere: Command) -> None:
    sizes = """
import os, signal, time
told = []
signal.signal(signal.SIGWINCH, lambda *_: told.append([*os.get_terminal_size(1), *os.get_terminal_size(2)]))
print("ready", *os.get_terminal_size(1), *os.get_terminal_size(2), *map(os.isatty, (0, 1, 2)), flush=True)
while [100, 50, 100, 50] not in told:
    time.sleep(0.01)
"""
    with terminal(nowhere.argv("run", "-q", "--", sys.executable, "-c", sizes), nowhere.env) as person:
        person.wait_for("ready 80 24 80 24 True True True\r\n")

        person.resize(50, 100)

        assert person.process.wait(60) == 0


def test_a_command_is_stopped_and_continued_with_taskroom(nowhere: Command) -> None:
    words = " ".join(f"'{word}'" for word in nowhere.argv("run", "-q", "--", "sh", "-c"))
    with terminal(("bash", "--norc", "-i"), nowhere.of(PS1="$ ").env) as person:
        person.wait_for("$ ")
        person.type(f"{words} 'echo ready; read line; echo got $line'\n")
        person.wait_for("ready\r\n")

        person.type("\x1a")
        person.wait_for("Stopped")
        person.wait_for("$ ")  # what is typed before is thrown away
        person.wait_for_stop()
        person.type("fg\n")
        person.wait_for("fg\r\n")
        person.type("a line\n")

        person.wait_for("got a line\r\n")
        person.type("exit $?\n")
        assert person.process.wait(60) == 0


def test_what_is_shown_in_a_terminal_is_the_same_and_becomes_lines(taskroom: Command, user: User) -> None:
    script = "printf 'one\\n10%%\\r20%%\\r\\033[32mgreen\\033[0m\\n'; printf 'bad\\n' >&2"
    with terminal(taskroom.argv("run", "--", "sh", "-c", script), taskroom.env) as person:
        shown = person.rest()
        assert person.process.wait(60) == 0

    run = the_run(user, "sh")["task"]["task_id"]
    url, _, output = shown.partition("\r\n")
    assert url == f"taskroom: {taskroom.url}/runs/{run}"
    assert output.replace("bad\r\n", "") == "one\r\n10%\r20%\r\x1b[32mgreen\x1b[0m\r\n"
    assert said(user, run) == ["one", "\x1b[32mgreen\x1b[0m"]
    assert said(user, run, "stderr") == ["bad"]


def test_an_interrupted_command_is_no_failure(taskroom: Command, user: User) -> None:
    with terminal(
        taskroom.argv("run", "-q", "--", "bash", "-c", "echo ready; exec sleep 1000"), taskroom.env
    ) as person:
        person.wait_for("ready")
        person.type("\x03")
        person.rest()

        assert person.process.wait(60) == 128 + signal.SIGINT
    assert the_run(user, "bash")["task"]["status"] == "REVOKED"


def test_a_cancel_ends_the_command_and_what_it_started(taskroom: Command, user: User) -> None:
    with taskroom.start(
        "run", "--name", "long", "--", "sh", "-c", "echo begins; sleep 1000 | cat; echo no"
    ) as process:
        task_id = the_run(user, "long", ended=False)["task"]["task_id"]
        user.client.post(f"/api/v2/tasks/{task_id}/cancel").raise_for_status()
        out, _ = process.communicate(timeout=120)

    assert (process.returncode, out) == (128 + signal.SIGTERM, b"begins\n")
    assert the_run(user, "long")["task"]["status"] == "REVOKED"


def test_who_does_not_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert child.KILL_SECONDS == 10
    monkeypatch.setattr(child, "KILL_SECONDS", 0.2)
    read, write = os.pipe()
    script = f"trap '' TERM; echo >&{write}; while :; do sleep 0.01; done"
    os.set_inheritable(write, True)
    stubborn = Child(["bash", "-c", script], os.environ, (), ())
    os.read(read, 1)

    stubborn.end()

    wait_for("the end", stubborn.has_ended)
    assert (stubborn.code, stubborn.exit_status) == (-signal.SIGKILL, 128 + signal.SIGKILL)
    for fd in (read, write):
        os.close(fd)


def test_a_killed_taskroom_is_reported_at_once(taskroom: Command, user: User) -> None:
    with taskroom.start("run", "--", "cat") as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"a line\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"a line\n"
        run = the_run(user, "cat", ended=False)["task"]["task_id"]
        wait_for("the line", lambda: said(user, run))
        process.kill()
        process.communicate()

    task = the_run(user, "cat")["task"]
    assert (task["status"], task["error"]["type"]) == ("FAILURE", "Killed")


@pytest.mark.parametrize("kind", [Signals, HandledSignals])
def test_a_signal_that_comes_with_the_end_of_the_command_is_taken_too(kind: type[Signals]) -> None:
    took = list[int]()
    with kind((signal.SIGINT,)) as signals:
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)  # other threads here do not block it
        signals.wait(lambda: True, lambda received: took.append(received.number))
        assert took == []

        signals.take_pending(lambda received: took.append(received.number))

    assert took == [signal.SIGINT]
