"""What a script has not sent at its end: another process sends it, or a line says how."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from taskroom._transport import detached
from tests.sdk.transport import server as faults
from tests.sdk.transport.conftest import MakeClient
from tests.sdk.transport.helpers import ended, go_on, line, numbered, program
from tests.sdk.transport.server import PATIENCE, Server
from tests.support.system import wait_for

MACHINE = "from taskroom._transport import detached\ndetached.outlives = lambda: True\n"  # and no container
SCRIPT = """
import taskroom
with taskroom.run("burst", stdout=False) as run:
    sys.stdout.write(run.id)
    for n in range(700): run.log(f"line {n}")
"""


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


def test_what_a_slow_server_has_not_taken_arrives_after_the_end_of_the_script(
    server: Server, spool: Path
) -> None:
    server.script.append(faults.hang)
    with program(MACHINE + SCRIPT, server.url, spool) as process:
        status, run, err = ended(process)  # while the server hangs
    assert (status, err) == (0, "")

    server.released.set()

    wait_for("all to be sent", lambda: not files(spool))
    assert server.messages(run) == numbered(700)
    assert server.statuses(run) == ["STARTED", "SUCCESS"]


def test_what_a_child_of_the_script_has_left_arrives_too(server: Server, spool: Path) -> None:
    server.script.append(faults.hang)
    child = "pid = os.fork()\nif not pid:\n    client.event('t', 'a1', line('of the child'))\n    client.spool_now()\n"
    child += "    os.kill(os.getpid(), 9)\nos.waitpid(pid, 0)\n"
    task = "client.task('t', 'a1', job_type='train')\nassert client.flush(60)\n"
    script = MACHINE + task + child + "import taskroom\nwith taskroom.run('x') as run: pass\n"
    server.script.clear()
    server.script.extend([faults.answer, faults.hang])
    with program(script, server.url, spool) as process:
        assert ended(process) == (0, "", "")

    server.released.set()

    wait_for("all to be sent", lambda: not files(spool))
    assert server.messages("t") == ["of the child"]


def test_when_the_server_is_away_one_line_says_what_waits_and_what_sends_it(spool: Path) -> None:
    with program(SCRIPT, "http://127.0.0.1:1", spool) as process:
        status, _, err = ended(process)

    assert status == 0
    assert err.splitlines()[-1] == (
        f"taskroom: 702 events wait in {spool} for Taskroom at http://127.0.0.1:1; taskroom sync sends them"
    )


def test_after_a_refused_key_the_line_names_the_command_that_sends_it(server: Server, spool: Path) -> None:
    with program(SCRIPT + "    input()\n", server.url, spool, TASKROOM_KEY="trk_wrong") as process:
        server.wait_for("a try", lambda: server.requests)
        wait_for("it to be kept", lambda: files(spool))
        go_on(process)
        status, run, err = ended(process)

    assert status == 0
    command = "taskroom sync --other-keys"
    assert err.splitlines()[-1].endswith(f"; once TASKROOM_KEY is right, {command} sends them")
    environment = {"TASKROOM_URL": server.url, "TASKROOM_KEY": faults.KEY, "TASKROOM_SPOOL": str(spool)}
    subprocess.run([sys.executable, "-m", *command.split()], env=environment, check=True, timeout=PATIENCE)
    assert server.messages(run) == numbered(700)


def test_where_no_process_outlives_the_script_the_end_waits_for_the_server(
    make_client: MakeClient, server: Server, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detached, "outlives", lambda: False)
    monkeypatch.setattr("taskroom._transport.client.MOMENT_SECONDS", 0.0)  # it is too slow for a moment
    client = make_client()
    client.linger()
    client.task("t", "a1", job_type="train")
    client.event("t", "a1", line("x"))

    assert client.close(PATIENCE)

    assert (server.messages("t"), files(spool)) == (["x"], [])


@pytest.mark.parametrize("pid", ["of the script", "of its shell"])
def test_in_a_unit_of_systemd_which_ends_with_the_script_the_end_waits_for_the_server_too(
    make_client: MakeClient,
    server: Server,
    spool: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    pid: str,
) -> None:
    (tmp_path / "comm").write_text("systemd\n")
    monkeypatch.setattr(detached, "FIRST", tmp_path / "comm")
    monkeypatch.setenv("SYSTEMD_EXEC_PID", str(os.getpid() if pid == "of the script" else os.getppid()))
    monkeypatch.setattr("taskroom._transport.client.MOMENT_SECONDS", 0.0)  # it is too slow for a moment
    client = make_client()
    client.linger()
    client.task("t", "a1", job_type="train")
    client.event("t", "a1", line("x"))

    assert client.close(PATIENCE)

    assert (server.messages("t"), files(spool)) == (["x"], [])


def test_a_shell_of_a_service_that_goes_on_is_no_unit_that_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "comm").write_text("systemd\n")
    monkeypatch.setattr(detached, "FIRST", tmp_path / "comm")
    monkeypatch.setenv("SYSTEMD_EXEC_PID", "1")

    assert detached.outlives()


def test_where_nothing_outlives_the_script_a_line_says_what_a_slow_server_has_not_taken(
    server: Server, spool: Path
) -> None:
    server.script.append(faults.hang)
    unit = "os.environ['SYSTEMD_EXEC_PID'] = str(os.getpid())\n"
    quick = "from taskroom._transport import client as _c\n_c.Client.drain = lambda *_: False\n"
    with program(unit + quick + SCRIPT, server.url, spool) as process:
        status, run, err = ended(process)

    assert status == 0
    assert err.splitlines()[-1].startswith("taskroom: 702 events wait in ")
    environment = {"TASKROOM_URL": server.url, "TASKROOM_KEY": faults.KEY, "TASKROOM_SPOOL": str(spool)}
    server.released.set()
    subprocess.run([sys.executable, "-m", "taskroom", "sync"], env=environment, check=True, timeout=PATIENCE)
    assert server.messages(run) == numbered(700)


@pytest.mark.parametrize(
    ("first", "outlives"),
    [("systemd", True), ("init", True), ("docker-init", False), ("tini", False), ("sh", False), (None, True)],
)
def test_a_process_outlives_the_script_where_the_first_one_is_that_of_a_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, first: str | None, outlives: bool
) -> None:
    name = tmp_path / "comm"
    if first is not None:
        name.write_text(f"{first}\n")
    monkeypatch.setattr(detached, "FIRST", name)

    assert detached.outlives() == outlives
    monkeypatch.setattr("os.getpid", lambda: 1)
    assert not detached.outlives()


def test_a_process_is_started_where_there_is_a_python(monkeypatch: pytest.MonkeyPatch) -> None:
    assert detached.can_start()

    monkeypatch.setattr(sys, "executable", "/usr/bin/uwsgi")
    assert not detached.can_start()
