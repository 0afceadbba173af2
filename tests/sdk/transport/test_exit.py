"""How a process ends: nothing that it said is lost, and it ends in time."""

from __future__ import annotations

from pathlib import Path

from taskroom._transport import Settings, sync
from tests.sdk.transport import server as faults
from tests.sdk.transport.helpers import ended, go_on, numbered, program, ran, said
from tests.sdk.transport.server import KEY, PATIENCE, Server

REPORT = (
    "client.task('t', 'a1', job_type='train')\n"
    "for n in range(700): client.event('t', 'a1', line(f'line {n}'))\n"
)


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


def test_at_its_end_a_process_sends_what_it_has(server: Server, spool: Path) -> None:
    ran(REPORT, server.url, spool)

    assert server.messages("t") == numbered(700)
    assert files(spool) == []


def test_an_exception_that_ends_the_process_changes_nothing(server: Server, spool: Path) -> None:
    with program(REPORT + "1 / 0", server.url, spool) as process:
        status, _, err = ended(process)

    assert status == 1
    assert err.rstrip().endswith("ZeroDivisionError: division by zero")
    assert server.messages("t") == numbered(700)


def test_without_a_server_it_goes_to_the_spool_and_the_next_process_sends_it(
    server: Server, spool: Path
) -> None:
    server.script.extend([faults.status(503)] * 10)
    ran(REPORT, server.url, spool)
    assert len(files(spool)) == 1
    server.script.clear()

    ran("client.event('t', 'a1', line('of the next process'))", server.url, spool)

    assert server.messages("t") == [*numbered(700), "of the next process"]


def test_a_server_that_hangs_does_not_keep_a_process(server: Server, spool: Path) -> None:
    server.script.extend([faults.hang] * 10)
    with program(REPORT + "input()", server.url, spool, close_seconds=0.2) as process:
        assert server.hangs.acquire(timeout=PATIENCE)
        go_on(process)
        assert ended(process) == (0, "", "")  # while the server still hangs

    server.released.set()
    server.script.clear()
    sync(Settings(server.url, KEY, spool))
    assert server.messages("t") == numbered(700)


def test_a_child_that_lives_for_one_task_needs_no_network_at_its_end(server: Server, spool: Path) -> None:
    server.script.extend([faults.hang] * 10)
    ran(REPORT + "client.spool_now()\nassert client.close(0)", server.url, spool, close_seconds=0.0)

    server.released.set()
    server.script.clear()
    sync(Settings(server.url, KEY, spool))
    assert server.messages("t") == numbered(700)


def test_a_killed_process_leaves_what_was_in_the_spool_and_repeats_nothing(
    server: Server, spool: Path
) -> None:
    server.script.append(faults.hang)  # stored, and its answer never comes
    code = REPORT + "input()\nclient.spool_now()\nprint('spooled', flush=True)\ninput()"
    with program(code, server.url, spool) as process:
        assert server.hangs.acquire(timeout=PATIENCE)
        go_on(process)
        assert said(process) == "spooled\n"
        process.kill()
        process.wait()

    sync(Settings(server.url, KEY, spool))

    assert server.messages("t") == numbered(700)


def test_a_process_that_is_killed_while_the_server_is_away_has_left_all_in_the_spool(
    server: Server, spool: Path
) -> None:
    server.script.extend([faults.status(503)] * 1_000)
    code = (
        "import time\n"
        "client.task('t', 'a1', job_type='train')\n"
        "client.event('t', 'a1', line('line 0'))\n"
        "while not client._availability.failures: time.sleep(0.01)\n"
        "for n in range(1, 100): client.event('t', 'a1', line(f'line {n}'))\n"
        "for _ in range(3000):\n"
        "    if client._outbox.safe == client._outbox.added and not client._outbox.waiting: break\n"
        "    time.sleep(0.01)\n"
        "print('said', flush=True)\n"
        "input()\n"
    )
    with program(code, server.url, spool) as process:
        assert said(process) == "said\n"
        process.kill()
        process.wait()
    server.script.clear()

    sync(Settings(server.url, KEY, spool))

    assert server.messages("t") == numbered(100)


def test_nothing_is_printed_at_the_end_of_a_process(server: Server, spool: Path) -> None:
    with program(REPORT, server.url, spool) as process:
        assert ended(process) == (0, "", "")
