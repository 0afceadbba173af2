"""What many want at once, or one wants again and again, is done in as many turns of the loop as it takes."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support import long_turns
from tests.support.system import ROOT, System
from tests.test_metrics import scraped

MANY = 5

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def url(system: System) -> Iterator[str]:
    with system.web(TEST_LONG_TURNS="1") as url:
        yield url


def long_ones(system: System, url: str) -> float:
    """Turns in which ``computes`` kept the loop: one of them may have had several calls of it."""
    name = f"taskroom_loop_turns_over_50ms_total:computed:{long_turns.__name__}:computes"
    return scraped(system, f"{url}/metrics").get(name, 0.0)


def test_requests_in_one_packet_are_answered_in_a_turn_each(system: System, url: str) -> None:
    before = long_ones(system, url)
    address = urlsplit(url)
    one = f"GET /long/computes HTTP/1.1\r\nHost: {address.netloc}\r\n".encode()

    with socket.create_connection((str(address.hostname), int(address.port or 0)), 60) as connection:
        connection.sendall((one + b"\r\n") * (MANY - 1) + one + b"Connection: close\r\n\r\n")
        received = b""
        while more := connection.recv(1 << 16):
            received += more

    assert received.count(b"HTTP/1.1 200 ") == MANY
    assert long_ones(system, url) - before == MANY


@pytest.mark.parametrize("view", ["computes", "reads"])
def test_requests_at_the_same_time_are_answered_in_a_turn_each(system: System, url: str, view: str) -> None:
    before = long_ones(system, url)

    with ThreadPoolExecutor(MANY) as crowd:
        answers = list(crowd.map(lambda _: httpx.get(f"{url}/long/{view}", timeout=60), range(MANY)))

    assert [answer.status_code for answer in answers] == [200] * MANY
    assert long_ones(system, url) - before == MANY


def test_hundreds_that_are_ready_at_once_are_served_in_several_turns() -> None:
    code = """if True:
        from app import green
        green.patch()
        import eventlet, socket
        turns = 0
        def ended():
            global turns
            turns += 1
        green.watch_turns(ended, lambda: None)
        pairs = [socket.socketpair() for _ in range(300)]
        seen = []
        readers = [eventlet.spawn(lambda one=one: seen.append((one.recv(1), turns))) for one, _ in pairs]
        eventlet.sleep(0)
        for _, other in pairs:
            other.send(b"x")
        for reader in readers:
            reader.wait()
        served = [turn for _, turn in seen]
        assert len(served) == 300 and max(map(served.count, served)) <= 64, served
    """
    subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", code], cwd=ROOT, check=True)


def test_hundreds_of_requests_that_come_at_once_begin_in_turns_that_stay_short() -> None:
    """Each takes two milliseconds by a clock that only they move, so the machine's speed is none of it."""
    code = """if True:
        from app import green
        green.patch()
        import eventlet, time
        from types import SimpleNamespace
        from app.green import turn
        now, turns = 0.0, 0
        turn.time = SimpleNamespace(monotonic=lambda: now, sleep=time.sleep)
        def ended():
            global turns
            turns += 1
        green.watch_turns(ended, lambda: None)
        began = []
        def request(number):
            global now
            turn.LoopTurn.give_way()
            began.append((number, turns))
            now += 0.002
        eventlet.sleep(0)
        for each in [eventlet.spawn(request, number) for number in range(300)]:
            each.wait()
        in_turns = [turn for _, turn in began]
        assert [number for number, _ in began] == list(range(300)), "in the order in which they came"
        assert max(map(in_turns.count, in_turns)) <= 26, in_turns
    """
    subprocess.run([sys.executable, "-W", "ignore::DeprecationWarning", "-c", code], cwd=ROOT, check=True)
