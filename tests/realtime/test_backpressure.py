"""Clients that stop reading in a busy room: nobody else notices, and they miss nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest

from app.green.listener import SEND_BUFFER
from tests.realtime.raw import SMALL, RawSocket, RawSse
from tests.support.held import held
from tests.support.system import System, User, wait_for
from tests.support.viewers import SocketViewer, SseViewer, Viewer

pytestmark = pytest.mark.slow

BUFFERED = 2 * (SEND_BUFFER + SMALL)  # bytes: the kernel takes twice what it was asked for


@pytest.fixture(scope="module")
def impatient(system: System) -> Iterator[str]:
    """A web process that drops who takes nothing for ten seconds, and says nothing to who is quiet. A reader of the
    tests must not stand still for so long on a busy machine."""
    with system.web(STALLED_SECONDS="10", KEEPALIVE_SECONDS="300", PING_SECONDS="300") as url:
        yield url


@pytest.fixture(scope="module")
def patient(system: System) -> Iterator[str]:
    """A web process that drops nobody for taking nothing, and asks nobody whether he is there."""
    with system.web(STALLED_SECONDS="3600", KEEPALIVE_SECONDS="300", PING_SECONDS="300") as url:
        yield url


def viewers(url: str) -> int:
    text = httpx.get(f"{url}/metrics", timeout=60).text
    return next(
        int(float(line.split()[1])) for line in text.split("\n") if line.startswith("taskroom_viewers ")
    )


def test_stalled_viewers_are_dropped_while_others_get_all_and_resume_exactly(
    impatient: str, user: User, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        run = stack.enter_context(held(user, tmp_path, rate=300, size=1500))
        task_id = run.id
        others: list[Viewer] = [SseViewer(impatient, user, task_id), SocketViewer(impatient, user, task_id)]
        stalled = stack.enter_context(closing(RawSse(impatient, user, task_id)))
        stalled_socket = stack.enter_context(closing(RawSocket(impatient, user)))
        stalled_socket.join(task_id)
        for viewer in others:
            stack.callback(viewer.close)
            viewer.open(0)
        stalled.read(20)
        stalled_socket.read_until(lambda: len(stalled_socket.sequences) >= 20)

        wait_for("both to be dropped", lambda: viewers(impatient) == 2, 120)
        run.let_go()
        for viewer in others:
            viewer.control("end")
        last = user.status(task_id)["sequence"]
        stalled.read_all(), stalled_socket.read_all()

        for viewer in others:
            assert viewer.sequences == list(range(1, last + 1))
        for seen, again in (
            (stalled.sequences, SseViewer(impatient, user, task_id)),
            (stalled_socket.sequences, SocketViewer(impatient, user, task_id)),
        ):
            assert 20 <= len(seen) < last and seen == list(range(1, len(seen) + 1))
            stack.callback(again.close)
            again.open(len(seen))
            again.control("end")
            assert again.sequences == list(range(len(seen) + 1, last + 1))


def test_a_client_that_stops_for_less_than_that_gets_everything(
    patient: str, user: User, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        run = stack.enter_context(held(user, tmp_path, rate=500, size=750))
        task_id = run.id
        sse = stack.enter_context(closing(RawSse(patient, user, task_id)))
        one, many = sockets = [
            stack.enter_context(closing(RawSocket(patient, user, batch=batch))) for batch in (False, True)
        ]
        sse.read(10)
        for web in sockets:
            web.join(task_id)
            web.read_until(lambda web=web: len(web.sequences) >= 10)
        # More than all buffers between it and them hold, so that they must get the rest when they read again.
        behind = user.status(task_id)["sequence"] + 2 * BUFFERED // 750
        wait_for("them to be far behind", lambda: user.status(task_id)["sequence"] > behind, 240)
        run.let_go()
        last = user.finished(task_id)["sequence"]

        sse.read_all()
        for web in sockets:
            web.read_until(lambda web=web: web.ended)

    assert sse.sequences == one.sequences == many.sequences == list(range(1, last + 1))
    assert one.largest == 1 and many.largest > 10
    assert b"event: end\n" in sse.body and sse.body.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("more", ["", "Connection: keep-alive\r\n"])
def test_http_1_0_gets_a_plain_body_and_a_close(system: System, user: User, more: str) -> None:
    task_id = user.start("emit_load", events=300, rate=0, message_bytes=100)
    with closing(RawSse(system.url, user, task_id, version="1.0", more=more)) as sse:
        sse.read_all()
    last = user.status(task_id)["sequence"]

    assert sse.received.startswith(b"HTTP/1.") and b" 200 OK\r\n" in sse.received[:40]
    assert "transfer-encoding" not in sse.head and "content-length" not in sse.head
    assert sse.head["connection"].lower() == "close", "without a length the end is told by the close"
    assert sse.body.startswith(b"retry: ") and sse.body.endswith(b"\n\n")
    assert sse.sequences == list(range(1, last + 1))


def test_http_1_1_gets_chunks_and_a_last_one(system: System, user: User) -> None:
    task_id = user.start("emit_load", events=300, rate=0, message_bytes=100)
    with closing(RawSse(system.url, user, task_id)) as sse:
        sse.read_all()
    last = user.status(task_id)["sequence"]

    assert sse.head["transfer-encoding"] == "chunked"
    rest, events = sse.body, b""
    while True:
        size, _, rest = rest.partition(b"\r\n")
        chunk, rest = rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        if not chunk:
            break
        events += chunk
        assert chunk.endswith(b"\n\n") or chunk == b":\n", "an event is one chunk"
    assert rest == b"" and events.count(b"\nevent: ") >= last
    assert sse.sequences == list(range(1, last + 1))


def test_a_client_that_closes_is_noticed_at_once(impatient: str, user: User, running: str) -> None:
    wait_for("an empty process", lambda: viewers(impatient) == 0)
    sse, web = RawSse(impatient, user, running), RawSocket(impatient, user)
    web.join(running)
    sse.read(5)
    assert viewers(impatient) == 2

    sse.close(), web.close()

    wait_for("both to be gone", lambda: viewers(impatient) == 0, 60)
