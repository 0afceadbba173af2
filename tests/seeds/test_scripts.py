"""The printed clients that run without a browser: curl, requests and httpx."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.seeds.conftest import printed
from tests.support.system import System, User, wait_for
from tests.support.threads import joined

WORDLESS = {"artifact_type": "flashcards", "content": "!!! ???", "notebook_id": "session999"}


@contextmanager
def running(command: list[str], program: str) -> Iterator[list[str]]:
    """The lines that it has printed so far; it is ended afterwards, for of itself it never does."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        start_new_session=True,
    )
    assert process.stdin and process.stdout
    process.stdin.write(program)
    process.stdin.close()
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout), daemon=True)  # type: ignore[arg-type]
    reader.start()
    try:
        yield lines
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(60)
        joined(reader)
        process.stdout.close()


def seen(lines: list[str], *words: str) -> str:
    """The first line that has all these words, waited for."""
    return wait_for(
        f"{words} printed", lambda: next((x for x in list(lines) if all(w in x for w in words)), ""), 60
    )


def test_curl_in_two_terminals(system: System, user: User) -> None:
    with running(["sh", "-s"], printed("001.watch.sh", system.url, user)) as lines:
        assert seen(lines, "connected") == f'data: {{"type":"connected","user_id":"{user.id}"}}\n'

        answer = subprocess.run(
            ["sh", "-s"],
            input=printed("001.sh", system.url, user),
            capture_output=True,
            text=True,
            check=True,
        )

        job_id = json.loads(answer.stdout)["job_id"]
        completed = json.loads(seen(lines, job_id, '"result"').removeprefix("data: "))
    assert completed["artifact_type"] == "quiz" and completed["notebook_id"] == "test123"
    assert completed["user_id"] == user.id and completed["result"]["questions"]


def test_requests_sees_what_completes_and_what_fails(system: System, user: User) -> None:
    program = f"token = {user.token!r}\n" + printed("001.py.txt", system.url, user)
    with running([sys.executable, "-u", "-"], program) as lines:
        seen(lines, f"Connected as user {user.id}")
        subprocess.run(["sh", "-s"], input=printed("001.sh", system.url, user), check=True, text=True)
        failing = user.start("artifact", **WORDLESS)

        done = seen(lines, "completed")
        failed = seen(lines, failing)

    assert "Job " in done and "failed: Validation failed after 2 repair attempts" in failed
    assert len(lines) == 3, "what only goes on is neither"


def test_httpx_sees_what_happens(system: System, user: User) -> None:
    client = printed("004.py.txt", system.url, user)
    program = (
        f"import asyncio\ntoken = {user.token!r}\nasync def main():\n{textwrap.indent(client, '    ')}\n"
        "asyncio.run(main())"
    )
    with running([sys.executable, "-u", "-"], program) as lines:
        seen(lines, "timestamp")
        task_id = user.start("test_echo")

        created = seen(lines, task_id, "'intent': 'execute_command'")
        seen(lines, task_id, "'status': 'in_progress', 'previous_status': 'pending'")
        seen(lines, task_id, "'agent_type': 'test_echo'", "'success': True")
        seen(lines, task_id, "'status': 'completed', 'success': True")

    assert created.startswith("Event: {") and "'status': 'pending'" in created


@pytest.mark.parametrize("name", ["001.py.txt", "004.py.txt", "001.js", "004.js", "001.sh", "001.watch.sh"])
def test_a_client_is_changed_in_its_address_and_token_alone(user: User, name: str) -> None:
    from tests.seeds.conftest import CLIENTS, PLACE

    assert printed(name, PLACE, user).replace(user.token, "<token>") == (CLIENTS / name).read_text()
