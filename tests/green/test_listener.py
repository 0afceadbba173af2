"""What befalls a process's listening socket, and what its connections inherit from it."""

from __future__ import annotations

import errno
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.green import listener
from app.green.listener import Listener, notice_silence
from tests.support.system import ROOT, System, wait_for

pytestmark = pytest.mark.slow

FILES = 256


class Failing:
    """A listening socket that gives these errors first, and then a connection."""

    def __init__(self, errors: list[OSError]) -> None:
        self.errors = errors

    def accept(self) -> str:
        if self.errors:
            raise self.errors.pop(0)
        return "a connection"


def of(*numbers: int) -> Failing:
    return Failing([OSError(number, os.strerror(number)) for number in numbers])


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
def test_what_is_short_is_waited_for(number: int, caplog: pytest.LogCaptureFixture):
    pauses: list[float] = []

    with caplog.at_level(logging.WARNING, "taskroom.server"):
        assert Listener(of(*[number] * 40), pauses.append).accept() == "a connection"

    assert pauses == [0.2] * 40
    assert [os.strerror(number) in record.getMessage() for record in caplog.records] == [True], "said once"


@pytest.mark.parametrize(
    "number", [errno.ECONNABORTED, errno.ECONNRESET, errno.EPIPE, errno.EPROTO, errno.EPERM, errno.ENETDOWN]
)
def test_a_connection_that_is_gone_before_it_was_accepted_is_passed_over(number: int):
    pauses: list[float] = []

    assert Listener(of(number, number), pauses.append).accept() == "a connection"

    assert pauses == [0, 0], "others run, and the next one is accepted at once"


def test_a_network_that_gives_nothing_but_such_errors_does_not_spin():
    pauses: list[float] = []

    Listener(of(*[errno.ENETDOWN] * 30), pauses.append).accept()

    assert pauses == [0] * 10 + [0.2] * 20


@pytest.mark.parametrize("number", [errno.EBADF, errno.EINVAL, errno.ENOTSOCK])
def test_a_socket_that_is_no_listener_any_more_is_the_end(number: int):
    with pytest.raises(OSError) as raised:
        Listener(of(number)).accept()

    assert raised.value.errno == number


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the option is Linux's")
@pytest.mark.parametrize(("stalled", "milliseconds"), [(1, 25_000), (30, 28_000), (120, 118_000)])
def test_an_accepted_connection_notices_a_peer_that_has_vanished(stalled: int, milliseconds: int):
    with socket.create_server(("127.0.0.1", 0)) as server:
        notice_silence(server, stalled)
        with socket.create_connection(server.getsockname()) as client:
            accepted, _ = server.accept()
            with accepted:
                assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                options = {
                    name: accepted.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
                    for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT", "TCP_USER_TIMEOUT")
                }
            assert client.recv(1) == b""

    assert options == {
        "TCP_KEEPIDLE": 16,
        "TCP_KEEPINTVL": 3,
        "TCP_KEEPCNT": 4,
        "TCP_USER_TIMEOUT": milliseconds,
    }


def timers_of(port: int) -> set[str]:
    """Which timer the kernel runs for each connection that this port accepted (2: it asks for a sign of life)."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[5].split(":")[0] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"}


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="Linux tells, other systems do not")
def test_a_web_process_asks_its_quiet_connections_for_a_sign_of_life(system: System):
    port = httpx.URL(system.url).port
    assert port
    with socket.create_connection(("127.0.0.1", port)):
        wait_for("the timer", lambda: "02" in timers_of(port))


@pytest.fixture
def web(system: System) -> Iterator[tuple[str, int]]:
    """A web process of the test's own: its address and its process id."""
    with system.web() as url:
        yield url, system.processes[-1].pid


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux changes a limit of another process")
def test_a_process_without_files_left_serves_again_when_there_are_some(system: System, web: tuple[str, int]):
    url, pid = web
    at = httpx.URL(url)
    log = system.home / f"web-{at.port}.log"
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    there = max(int(file.name) for file in Path(f"/proc/{pid}/fd").iterdir())
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (there + 8, before[1]))
    crowd = [socket.create_connection((at.host, at.port or 0)) for _ in range(60)]
    try:
        wait_for("it to be short of files", lambda: "Too many open files" in log.read_text())
    finally:
        for connection in crowd:
            connection.close()

    assert httpx.get(f"{url}/livez", timeout=60).status_code == 200
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


SERVES = """
from app import green
green.patch()
import errno, os, threading, time
from app.green import listener

def ticks():
    while True:
        time.sleep(0.01)  # a loop with nothing to do looks for signals once a minute

threading.Thread(target=ticks, daemon=True).start()

class Broken(listener.Listener):
    def accept(self):
        {act}

listener.Listener = Broken
from app.green.server import serve
serve(lambda environ, start: [], "127.0.0.1", 0, 1.0, lambda: print("viewers sent away"))
"""


def serves(act: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SERVES.format(act=act)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("act", "why"),
    [
        ("raise OSError(errno.EBADF, os.strerror(errno.EBADF))", "[Errno 9] Bad file descriptor"),
        ("raise MemoryError('as asked')", "as asked"),
        ("raise OSError(errno.ENOTCONN, 'ends the loop of the library')", "it accepts nothing any more"),
    ],
)
def test_a_server_that_has_ended_ends_its_process(act: str, why: str):
    process = serves(act)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 1
    assert err.splitlines()[-1] == f"taskroom: the server has ended: {why}"
    assert "Traceback" not in err and out == "viewers sent away\n"


@pytest.mark.parametrize(
    ("host", "why"), [("127.0.0.1", "Address already in use"), ("203.0.113.1", "Cannot assign")]
)
def test_a_server_that_cannot_listen_ends_its_process_with_one_line(host: str, why: str):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        serve = f'serve(lambda environ, start: [], "{host}", {port}, 1.0, lambda: None)'
        code = f"from app import green; green.patch(); from app.green.server import serve; {serve}"
        ran = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
        )

    assert ran.returncode == 1 and ran.stderr.count("\n") == 1
    assert ran.stderr.startswith(f"taskroom: port {port} of {host} cannot be opened ({why}")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ('RuntimeError("can\'t start new thread")', "taskroom: can't start new thread"),
        ("KeyError('a fault of ours')", "KeyError: 'a fault of ours'"),
    ],
)
def test_a_start_without_threads_is_one_line_and_one_with_a_fault_a_traceback(
    system: System, error: str, said: str
):
    fails = f"def fails(config): raise {error}"
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"import wsgi\n{fails}\nwsgi.create_app = fails\nwsgi.main()"],
        cwd=ROOT,
        env=system.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert ran.returncode == 1 and ran.stderr.splitlines()[-1] == said
    assert ("Traceback" in ran.stderr) is said.startswith("KeyError")


def test_a_server_that_was_asked_to_end_does_so_without_a_complaint():
    process = serves("print('listens', flush=True); return super().accept()")
    assert process.stdout and process.stdout.readline() == "listens\n"
    process.send_signal(signal.SIGTERM)
    try:
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()

    assert (process.returncode, out) == (0, "viewers sent away\n"), err


def limited(code: str, env: dict[str, str] | None = None) -> Any:
    """What a process prints that was given few files, and may give itself twice as many."""
    first = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({FILES}, {2 * FILES}))"
    ran = subprocess.run(
        [sys.executable, "-c", f"{first}\n{code}"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran


LIMITS = "print(*resource.getrlimit(resource.RLIMIT_NOFILE))"


def test_a_limit_is_raised_as_far_as_the_system_allows_and_never_lowered():
    code = "from app.green import listener; print(listener.raise_file_limit(), listener.raise_file_limit())"
    lower = "from app.green import listener; listener.OPEN_FILES = 100; print(listener.raise_file_limit())"

    assert limited(f"{code}; {LIMITS}").stdout.split() == ["512", "512", "512", "512"]
    assert limited(f"{lower}; {LIMITS}").stdout.split() == ["256", "256", "512"]
    assert listener.OPEN_FILES == 1_048_576


def test_the_web_process_raises_its_own_and_says_when_it_is_less_than_its_viewers(system: System):
    code = f"import wsgi; wsgi.serve = lambda *_, **__: {LIMITS}; wsgi.main(); import os; os._exit(0)"

    ran = limited(
        code.replace("wsgi.main()", "wsgi.main(); sys.stdout.flush()").replace(
            "import wsgi", "import sys, wsgi"
        ),
        system.environment(MAX_VIEWERS="600"),
    )

    assert ran.stdout.split() == ["512", "512"]
    assert "512 open files are allowed, fewer than MAX_VIEWERS=600" in ran.stderr
