"""``taskroom run``: to the command and its caller nothing changes, and the run is on the server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from app.up.embedded import free_port
from tests.sdk.cli.bad_server import answering, hanging
from tests.sdk.cli.command import Command
from tests.sdk.cli.runs import key_of, log_of, said, the_run
from tests.support.system import System, User

TALKATIVE = "print('out'); import sys; print('err', file=sys.stderr); sys.exit(int(sys.argv[1]))"
ODD = bytes(range(256)) + b"\n\xff\xfe invalid\r\n" + "ü\n".encode()


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_the_exit_status_and_the_output_are_the_commands(nowhere: Command, code: int) -> None:
    done = nowhere("run", "-q", "--", sys.executable, "-c", TALKATIVE, str(code))

    assert (done.returncode, done.stdout, done.stderr) == (code, "out\n", "err\n")


def test_output_and_end_are_a_run(taskroom: Command, user: User) -> None:
    words = ("run", "--name", "backup", "--title", "Nightly", "--param", "tables=3", "--param", "to=disk")
    done = taskroom(*words, "--", sys.executable, "-c", TALKATIVE, "3")

    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")
    task = the_run(user, "backup")["task"]
    assert (task["title"], task["params"], task["status"]) == (
        "Nightly",
        {"tables": 3, "to": "disk"},
        "FAILURE",
    )
    assert task["error"] == {"type": "ExitStatus", "message": "exit status 3", "traceback": None}
    assert sorted(log_of(user, task["task_id"])) == [
        ("ERROR", "ExitStatus: exit status 3", "taskroom"),
        ("INFO", "out", "stdout"),
        ("WARNING", "err", "stderr"),
    ]


def test_a_command_that_succeeds_is_a_success_under_its_own_name(taskroom: Command, user: User) -> None:
    done = taskroom("run", "/usr/bin/env", "printf", "unfinished")

    assert (done.returncode, done.stdout) == (0, "unfinished")
    task = the_run(user, "env")["task"]
    assert (task["status"], task["result"], task["title"]) == ("SUCCESS", {"exit_status": 0}, "env")
    assert log_of(user, task["task_id"]) == [("INFO", "unfinished", "stdout")]


def test_a_signal_that_ends_the_command_is_told_as_a_shell_does(taskroom: Command, user: User) -> None:
    done = taskroom("run", "--", "sh", "-c", "kill -TERM $$")

    assert done.returncode == 128 + 15
    task = the_run(user, "sh")["task"]
    assert (task["status"], task["error"]["type"]) == ("FAILURE", "Signal")
    assert task["error"]["message"] == "ended by SIGTERM"


def test_what_cannot_be_started_has_the_status_of_a_shell(
    taskroom: Command, user: User, tmp_path: Path
) -> None:
    plain = tmp_path / "plain"
    plain.write_text("not executable")
    lost = tmp_path / "lost"
    lost.write_text("#!/no/such/interpreter\n")
    lost.chmod(0o755)

    absent, refused, folder, orphan = (
        taskroom("run", "--", name) for name in ("no-such-command", str(plain), str(tmp_path), str(lost))
    )

    assert absent.returncode == 127
    assert absent.stderr == "taskroom: no-such-command: command not found\n"
    assert (refused.returncode, refused.stderr) == (126, f"taskroom: {plain}: Permission denied\n")
    assert folder.returncode == 126
    assert (orphan.returncode, orphan.stderr) == (126, f"taskroom: {lost}: its interpreter is not found\n")
    task = the_run(user, "no-such-command")["task"]
    assert (task["status"], task["error"]["type"]) == ("FAILURE", "CannotStart")


def test_a_script_without_its_first_line_is_the_shells(nowhere: Command, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("echo from $0 with $1\n")
    script.chmod(0o755)

    done = nowhere.of(PATH=f"{tmp_path}:{os.environ['PATH']}")("run", "-q", "--", "script", "arguments")

    assert (done.returncode, done.stdout) == (0, f"from {script} with arguments\n")


def test_bytes_pass_unchanged_in_both_directions(taskroom: Command, user: User) -> None:
    done = taskroom.raw("run", "--", "cat", input=ODD)

    assert (done.returncode, done.stdout) == (0, ODD)
    first, second, third, fourth = said(user, the_run(user, "cat")["task"]["task_id"])
    assert (
        first == "\ufffd" + bytes(range(1, 10)).decode()
    )  # up to the newline; what comes next goes back (\r)
    assert second.startswith("\x0e\x0f") and second.endswith("\ufffd")
    assert (third, fourth) == ("\ufffd\ufffd invalid", "ü")


def test_output_comes_at_once(nowhere: Command) -> None:
    asks = "import sys; print('name?', end='', flush=True); print('hello', input())"
    with nowhere.start("run", "-q", "--", sys.executable, "-c", asks) as process:
        assert process.stdout and process.stdin

        assert process.stdout.read(5) == b"name?"  # before there is anything to read
        process.stdin.write(b"Ada\n")
        process.stdin.close()
        assert process.stdout.read() == b"hello Ada\n"
    assert process.returncode == 0


def test_a_hundred_thousand_lines_are_in_the_log_in_their_order(taskroom: Command, user: User) -> None:
    done = taskroom.raw("run", "--", "seq", "100000")

    assert done.returncode == 0
    assert done.stdout == b"".join(b"%d\n" % n for n in range(1, 100_001))
    task = the_run(user, "seq")["task"]
    assert task["status"] == "SUCCESS"
    assert said(user, task["task_id"]) == [str(n) for n in range(1, 100_001)]


def test_sync_says_what_waits_that_was_said_with_another_key(
    system: System, user: User, tmp_path: Path
) -> None:
    wrong, right = (Command(system.url, key, tmp_path) for key in ("wrong", user.token))
    assert wrong("run", "-q", "--name", "unheard", "--linger", "60", "--", "true").returncode == 0

    done = right("sync")
    assert (done.returncode, done.stdout) == (
        0,
        f"2 events wait for {system.url} that were said with other keys: "
        "taskroom sync --other-keys sends them with this one\n",
    )
    assert right("sync", "--other-keys").stdout == f"2 events in 1 batches were sent to {system.url}\n"
    assert right("sync").stdout == "nothing waits to be sent\n"
    assert the_run(user, "unheard")["task"]["status"] == "SUCCESS"


def test_what_a_server_that_was_away_has_missed_is_synced(
    away: Command, system: System, user: User, tmp_path: Path
) -> None:
    port = free_port()  # of a server that comes later; memory has 10,000 events, the disk has the rest
    command = Command(f"http://127.0.0.1:{port}", user.token, tmp_path / "spool")
    done = command.raw("run", "--name", "missed", "--linger", "60", "--", "sh", "-c", "seq 20000; exit 7")
    assert done.returncode == 7
    assert done.stdout == b"".join(b"%d\n" % n for n in range(1, 20_001))

    with system.web(PORT=str(port)):
        synced = command("sync")
        again = command("sync")

    assert synced.returncode == 0
    assert synced.stdout.startswith("20,002 events in ")
    assert again.stdout == "nothing waits to be sent\n"
    task = the_run(user, "missed")["task"]
    assert (task["status"], task["error"]["message"]) == ("FAILURE", "exit status 7")
    assert said(user, task["task_id"]) == [str(n) for n in range(1, 20_001)]


@pytest.mark.parametrize("server", [hanging(), answering(503), answering(429), answering(200, "<html>")])
def test_a_server_that_is_no_help_changes_nothing(away: Command, tmp_path: Path, server: object) -> None:
    with server as url:  # type: ignore[attr-defined]
        done = Command(url, "trk_x", tmp_path)("run", "-q", "--", sys.executable, "-c", TALKATIVE, "3")

    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")


def test_a_key_that_is_refused_is_said_and_changes_nothing(system: System, tmp_path: Path) -> None:
    command = Command(system.url, "wrong", tmp_path)
    done = command("run", "--linger", "60", "--", sys.executable, "-c", TALKATIVE, "3")

    assert (done.returncode, done.stdout) == (3, "out\n")
    first, last = done.stderr.splitlines()
    assert first == "err"
    assert last.startswith(
        f"taskroom: Taskroom at {system.url} takes nothing, and what it should get is kept: it refuses the key"
    )
    assert last.endswith("; once TASKROOM_KEY is right, taskroom sync --other-keys sends them")


def test_a_key_that_may_not_report_is_said_and_changes_nothing(
    system: System, user: User, tmp_path: Path
) -> None:
    command = Command(system.url, key_of(user, "read"), tmp_path)
    done = command("run", "--linger", "60", "--", sys.executable, "-c", TALKATIVE, "3")

    assert (done.returncode, done.stdout) == (3, "out\n")
    assert "This API key lacks the scope report" in done.stderr.splitlines()[-1]


def test_a_run_that_the_server_does_not_take_is_said(tmp_path: Path) -> None:
    refused = [{"task_id": "x", "status": 429, "title": "The budget of today is used up"}]
    answer = {"tasks": [], "refused": refused, "cancel": [], "resend": [], "next_batch": 2}
    with answering(202, json.dumps(answer)) as url:
        done = Command(url, "trk_x", tmp_path)("run", "--linger", "60", "--", "sh", "-c", "exit 3")

    assert (done.returncode, done.stderr) == (
        3,
        "taskroom: the server did not take all of this run: The budget of today is used up\n",
    )


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("--", "printf", "%s ", "a", "--", "b"), "a -- b "),
        (("printf", "%s ", "a", "--", "b"), "a -- b "),
        (("printf", "%s ", "--"), "-- "),
        (("printf", "%s ", "-q", "--url"), "-q --url "),
    ],
)
def test_the_arguments_of_the_command_are_its_own(
    nowhere: Command, words: tuple[str, ...], shown: str
) -> None:
    assert nowhere("run", "-q", *words).stdout == shown


def test_without_settings_the_command_runs_and_one_line_says_what_to_set(nowhere: Command) -> None:
    done = nowhere("run", "--", sys.executable, "-c", TALKATIVE, "3")

    assert (done.returncode, done.stdout) == (3, "out\n")
    first, last = done.stderr.splitlines()
    assert first.startswith(
        "taskroom: this run is reported nowhere: set TASKROOM_URL to the address of your Taskroom"
    )
    assert "TASKROOM_KEY" in first and "/settings/keys" in first
    assert last == "err"


def test_runs_within_the_command_are_below_it(taskroom: Command, user: User) -> None:
    inner = "import taskroom\nwith taskroom.run('inner'): pass"
    script = f'echo $TASKROOM_RUN; {sys.executable} -c "{inner}"; {sys.executable} -m taskroom run -- true'
    done = taskroom("run", "--name", "outer", "--", "sh", "-c", script)

    assert done.returncode == 0
    outer = the_run(user, "outer")["task"]["task_id"]
    assert UUID(done.stdout.strip()) == UUID(outer)
    assert the_run(user, "inner")["task"]["parent_id"] == outer
    assert the_run(user, "true")["task"]["parent_id"] == outer


def test_who_reads_no_further_ends_the_command_quietly(nowhere: Command) -> None:
    line = f"{sys.executable} -m taskroom run -q -- seq 10000000 | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(("bash", "-c", line), env=nowhere.env, capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == (f"1\n{128 + signal.SIGPIPE}\n", "")


def test_processes_that_are_left_behind_keep_nobody_waiting(
    taskroom: Command, user: User, tmp_path: Path
) -> None:
    pid = tmp_path / "pid"
    done = taskroom("run", "--", "sh", "-c", f"sleep 1000 & echo $! > {pid}; echo done")

    try:
        assert (done.returncode, done.stdout) == (0, "done\n")
        assert the_run(user, "sh")["task"]["status"] == "SUCCESS"
    finally:
        os.kill(int(pid.read_text()), signal.SIGKILL)


def test_closed_descriptors_stay_out_of_the_way(nowhere: Command, tmp_path: Path) -> None:
    line = f"{sys.executable} -m taskroom run -q -- sh -c 'echo out; echo err >&2' >&- <&-"
    done = subprocess.run(("bash", "-c", line), env=nowhere.env, capture_output=True, text=True, check=True)

    assert (done.stdout, done.stderr) == ("", "err\n")


def test_descriptors_and_limits_of_the_caller_are_the_commands(nowhere: Command) -> None:
    read, write = os.pipe()
    with nowhere.start(
        "run", "-q", "--", "bash", "-c", f"echo handed >&{write}", pass_fds=(write,)
    ) as process:
        process.communicate()
    os.close(write)

    assert os.read(read, 100) == b"handed\n"
    os.close(read)


def test_json_of_an_option_must_be_a_pair(nowhere: Command) -> None:
    done = nowhere("run", "--param", "x", "--", "true")

    assert (done.returncode, done.stderr) == (2, "taskroom: 'x' is no parameter; give each as name=value\n")
    assert nowhere("run").stderr == "taskroom: say what to run: taskroom run -- COMMAND\n"
