"""``COMMAND | taskroom pipe NAME``: lines pass, and are a run."""

from __future__ import annotations

import signal

from tests.sdk.cli.command import Command
from tests.sdk.cli.runs import said, the_run
from tests.support.system import User, wait_for


def test_what_comes_in_goes_out_and_is_a_run(taskroom: Command, user: User) -> None:
    data = b"one\n\xff\xfe\ntwo"
    done = taskroom.raw("pipe", "backup", "--title", "Nightly", input=data)

    assert (done.returncode, done.stdout, done.stderr) == (0, data, b"")
    task = the_run(user, "backup")["task"]
    assert (task["status"], task["title"], task["result"]) == ("SUCCESS", "Nightly", {"exit_status": 0})
    assert said(user, task["task_id"]) == ["one", "\ufffd\ufffd", "two"]


def test_a_status_that_is_known_is_the_runs_and_its_own(taskroom: Command, user: User) -> None:
    done = taskroom("pipe", "backup", "--status", "3", input="the log\n")

    assert (done.returncode, done.stdout) == (3, "the log\n")
    task = the_run(user, "backup")["task"]
    assert (task["status"], task["error"]["message"]) == ("FAILURE", "exit status 3")


def test_a_status_that_is_none_is_refused(nowhere: Command) -> None:
    done = nowhere("pipe", "backup", "--status", "256")

    assert (done.returncode, done.stderr) == (2, "taskroom: --status is a number from 0 to 255, not 256\n")


def test_lines_come_at_once_and_the_run_is_live(taskroom: Command, user: User) -> None:
    with taskroom.start("pipe", "live") as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"first\n")
        process.stdin.flush()

        assert process.stdout.readline() == b"first\n"
        run = the_run(user, "live", ended=False)["task"]["task_id"]
        wait_for("the line", lambda: said(user, run) == ["first"])
        assert user.status(run)["task"]["status"] == "STARTED"
        process.communicate()
    assert process.returncode == 0


def test_who_reads_no_further_ends_it_quietly(taskroom: Command, user: User) -> None:
    words = " ".join(f"'{word}'" for word in taskroom.argv("pipe", "cut"))
    done = taskroom.shell(f"seq 10000000 | {words} | head -n 1; echo ${{PIPESTATUS[@]}}")

    assert (done.stdout, done.stderr) == (f"1\n{128 + signal.SIGPIPE} {128 + signal.SIGPIPE} 0\n", "")
    assert the_run(user, "cut")["task"]["status"] == "SUCCESS"


def test_a_cancel_and_a_signal_end_it(taskroom: Command, user: User) -> None:
    with taskroom.start("pipe", "cancelled") as process:
        run = the_run(user, "cancelled", ended=False)["task"]["task_id"]
        user.client.post(f"/api/v2/tasks/{run}/cancel").raise_for_status()
        process.wait(120)  # its stdin is still open
        process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert the_run(user, "cancelled")["task"]["status"] == "REVOKED"

    for number in (signal.SIGTERM, signal.SIGINT):
        with taskroom.start("pipe", number.name) as process:
            the_run(user, number.name, ended=False)
            process.send_signal(number)
            process.wait(120)
            process.communicate()
        assert process.returncode == 128 + number
        assert the_run(user, number.name)["task"]["status"] == "REVOKED"


def test_after_an_interrupt_the_last_lines_are_taken(nowhere: Command) -> None:
    with nowhere.start("pipe", "-q", "interrupted") as process:
        assert process.stdin and process.stdout
        process.stdin.write(b"first\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"first\n"
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(b"last\n")

    assert (process.returncode, out) == (128 + signal.SIGINT, b"last\n")
