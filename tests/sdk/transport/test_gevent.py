"""Programs whose threads are greenlets: the sending thread is one, and does not stop the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.transport import server as faults
from tests.sdk.transport.helpers import ended, numbered, program, ran, said
from tests.sdk.transport.server import PATIENCE, Server

PATCHED = "from gevent import monkey\nmonkey.patch_all()\n"
BEGIN = "client.task('t', 'a1', job_type='train')\n"


@pytest.mark.parametrize("before", [PATCHED, ""], ids=["patched before", "patched after"])
def test_greenlets_report_in_their_order(server: Server, spool: Path, before: str) -> None:
    ran(
        ("" if before else PATCHED + "client = Client.from_env()\n") + BEGIN + "import gevent\n"
        "def report(n):\n"
        "    for m in range(100):\n"
        "        client.event('t', 'a1', line(f'{n} {m}'))\n"
        "        gevent.sleep(0)\n"
        "gevent.joinall([gevent.spawn(report, n) for n in range(5)], raise_error=True)\n"
        "assert client.flush(60)\n",
        server.url,
        spool,
        before=before,
    )

    messages = server.messages("t")
    for n in range(5):
        assert [m for m in messages if m.startswith(f"{n} ")] == [f"{n} {m}" for m in range(100)]
    assert len(messages) == 500


def test_a_server_that_hangs_stops_no_greenlet(server: Server, spool: Path) -> None:
    server.script.append(faults.hang)
    hangs, goes_on = Path(f"{spool}.hangs"), Path(f"{spool}.goes_on")
    code = (
        BEGIN + "client.event('t', 'a1', line('line 0'))\n"
        "import gevent\n"
        f"while not os.path.exists({str(hangs)!r}): gevent.sleep(0.001)\n"
        "for n in range(1, 100):\n"
        "    client.event('t', 'a1', line(f'line {n}'))\n"
        "    gevent.sleep(0)\n"
        "print('reported', flush=True)\n"
        f"while not os.path.exists({str(goes_on)!r}): gevent.sleep(0.001)\n"
        "assert client.flush(60)\n"
    )
    with program(code, server.url, spool, before=PATCHED) as process:
        assert server.hangs.acquire(timeout=PATIENCE)
        hangs.touch()
        assert said(process) == "reported\n"
        server.released.set()
        goes_on.touch()
        assert ended(process) == (0, "", "")

    assert server.messages("t") == numbered(100)


def test_a_forked_child_of_a_patched_program_reports(server: Server, spool: Path) -> None:
    ran(
        BEGIN + "client.flush(60)\n"
        "if os.fork() == 0:\n"
        "    client.event('t', 'a1', line('of the child'))\n"
        "    assert client.flush(60)\n"
        "    os._exit(0)\n"
        "os.wait()\n",
        server.url,
        spool,
        before=PATCHED,
    )

    assert server.messages("t") == ["of the child"]
