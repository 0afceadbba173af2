"""Forks: the parent sends what was said before, the child what it says itself, and nothing is sent twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from taskroom._transport import Settings, sync
from tests.sdk.transport import server as faults
from tests.sdk.transport.helpers import ended, go_on, numbered, program, ran, said
from tests.sdk.transport.server import KEY, PATIENCE, Server

BEGIN = "client.task('t', 'a1', job_type='train', title='A title')\n"


def test_a_child_sends_what_it_says_and_not_what_its_parent_said(server: Server, spool: Path) -> None:
    ran(
        BEGIN + "client.event('t', 'a1', line('of the parent'))\n"
        "if os.fork() == 0:\n"
        "    client.event('t', 'a1', line('of the child'))\n"
        "    assert client.flush(60)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "assert client.flush(60)\n",
        server.url,
        spool,
    )

    assert sorted(server.messages("t")) == ["of the child", "of the parent"]
    assert len({writer for writer, _ in server.batches()}) == 2
    assert all(row["title"] == "A title" for row in (server.requests[0].content["tasks"]))


def test_a_fork_while_the_thread_sends_is_safe(server: Server, spool: Path) -> None:
    server.script.append(faults.hang)
    code = (
        BEGIN + "client.event('t', 'a1', line('of the parent'))\n"
        "input()\n"  # until it hangs
        "if os.fork() == 0:\n"
        "    client.event('t', 'a1', line('of the child'))\n"
        "    assert client.flush(60)\n"
        "    os._exit(0)\n"
        "assert os.wait()[1] == 0\n"
        "print('child', flush=True)\n"
        "input()\n"  # until the server goes on
        "assert client.flush(60)\n"
    )
    with program(code, server.url, spool) as process:
        assert server.hangs.acquire(timeout=PATIENCE)
        go_on(process)
        assert said(process) == "child\n"
        server.released.set()
        go_on(process)
        assert ended(process) == (0, "", "")

    assert server.messages("t") == ["of the parent", "of the child"]


@pytest.mark.slow
def test_many_forks_beside_a_busy_thread(server: Server, spool: Path) -> None:
    ran(
        BEGIN + "import threading\n"
        "def report():\n"
        "    for n in range(3000): client.event('t', 'a1', line(f'line {n}'))\n"
        "thread = threading.Thread(target=report)\n"
        "thread.start()\n"
        "for n in range(20):\n"
        "    if os.fork() == 0:\n"
        "        for m in range(50): client.event('t', 'a1', line(f'child {n} {m}'))\n"
        "        sys.exit(0)\n"  # atexit closes the client
        "thread.join()\n"
        "for n in range(20): assert os.wait()[1] == 0\n",
        server.url,
        spool,
    )

    messages = server.messages("t")
    assert [m for m in messages if m.startswith("line")] == numbered(3_000)
    for n in range(20):
        assert [m for m in messages if m.startswith(f"child {n} ")] == [f"child {n} {m}" for m in range(50)]
    assert len(messages) == 4_000


def test_a_child_that_says_nothing_has_no_thread(server: Server, spool: Path) -> None:
    out = ran(
        "import threading\n" + BEGIN + "client.flush(60)\n"
        "read, write = os.pipe()\n"
        "if os.fork() == 0:\n"
        "    os.write(write, b'%d' % threading.active_count())\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "print(os.read(read, 9).decode(), threading.active_count())\n",
        server.url,
        spool,
    )

    assert out == "1 2\n"


def test_a_child_keeps_the_task_of_its_parent_not_alive(server: Server, spool: Path) -> None:
    out = ran(
        BEGIN + "client.flush(60)\n"
        "if os.fork() == 0:\n"
        "    client.event('t', 'a1', line('of the child'))\n"
        "    client.flush(60)\n"
        "    print(client._outbox.tasks.next_due(), flush=True)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "print(client._outbox.tasks.next_due() < 1e12)\n",
        server.url,
        spool,
    )

    assert out == "inf\nTrue\n"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_process_of_multiprocessing_sends_all_before_it_ends(
    server: Server, spool: Path, tmp_path: Path, method: str
) -> None:
    code = (
        "import multiprocessing, os\n"
        "from taskroom._transport import Client, forking\n"
        "client = Client.from_env()\n"
        "forking.CLOSE_SECONDS = 60\n"
        "def work(n):\n"
        "    client.event('t', 'a1', {'type': 'log', 'message': str(n)})\n"
        "if __name__ == '__main__':\n"
        "    client.task('t', 'a1', job_type='train')\n"
        "    client.flush(60)\n"
        f"    context = multiprocessing.get_context({method!r})\n"
        "    for n in range(3):\n"
        "        process = context.Process(target=work, args=(n,))\n"
        "        process.start()\n"
        "        process.join()\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)

    ran(
        f"import subprocess\nsubprocess.run([sys.executable, {str(script)!r}], check=True)", server.url, spool
    )

    assert server.messages("t") == ["0", "1", "2"]


def test_a_child_that_leaves_by_os_exit_has_sent_all_before(server: Server, spool: Path) -> None:
    ran(
        BEGIN + "client.flush(60)\n"
        "if os.fork() == 0:\n"
        "    forking.CLOSE_SECONDS = 60\n"
        "    client.event('t', 'a1', line('of the child'))\n"
        "    os._exit(7)\n"
        "assert os.waitstatus_to_exitcode(os.wait()[1]) == 7\n",
        server.url,
        spool,
    )

    assert server.messages("t") == ["of the child"]


def test_a_child_that_leaves_by_os_exit_leaves_what_the_server_does_not_take_in_the_spool(
    server: Server, spool: Path
) -> None:
    server.script.extend([faults.status(503)] * 10)
    ran(
        BEGIN + "if os.fork() == 0:\n"
        "    client.event('t', 'a1', line('of the child'))\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "client.spool_now()\n",
        server.url,
        spool,
        close_seconds=0.5,
    )
    server.script.clear()

    sync(Settings(server.url, KEY, spool))

    assert server.messages("t") == ["of the child"]


def test_a_pool_ends_no_process_before_its_lines_are_sent(server: Server, spool: Path) -> None:
    ran(
        "import multiprocessing\n" + BEGIN + "client.flush(60)\n"
        "forking.RESULT_SECONDS = 60\n"
        "def work(n): client.event('t', 'a1', line(str(n)))\n"
        "with multiprocessing.get_context('fork').Pool(3) as pool:\n"
        "    pool.map(work, range(12))\n",
        server.url,
        spool,
    )

    assert sorted(server.messages("t"), key=int) == [str(n) for n in range(12)]


def test_a_child_does_not_unlock_the_file_of_its_parent(server: Server, spool: Path) -> None:
    server.script.extend([faults.status(503)] * 10)
    out = ran(
        BEGIN + "client.event('t', 'a1', line('of the parent'))\n"
        "client.flush(60)\n"
        "if os.fork() == 0:\n"
        "    client.close(0)\n"
        "    os._exit(0)\n"
        "os.wait()\n"
        "from taskroom._transport import sync\n"
        "print(sync().batches)\n",
        server.url,
        spool,
    )
    assert out == "0\n"  # the parent had its file still locked
    server.script.clear()

    sync(Settings(server.url, KEY, spool))

    assert server.messages("t") == ["of the parent"]
