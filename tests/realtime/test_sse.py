"""What is SSE's own: headers, ids, filters, keep-alives, 204, tickets and cookies."""

from __future__ import annotations

import http.client
import socket
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.support.held import held
from tests.support.line import TcpProxy
from tests.support.system import System, User, wait_for
from tests.support.viewers import SseViewer


@pytest.fixture
def finished(user: User) -> tuple[str, int]:
    """A task that has ended, and its last sequence."""
    task_id = user.start("test_phases", count=20)
    return task_id, user.finished(task_id)["sequence"]


def opened(
    system: System, user: User, task_id: str, since: int | str | None = None, **query: str
) -> SseViewer:
    viewer = SseViewer(system.url, user, task_id, **query)
    viewer.open(since)
    return viewer


@pytest.mark.parametrize("sent", [None, "keep-alive", "Keep-Alive"])
def test_the_headers_are_exact(system: System, user: User, running: str, sent: str | None) -> None:
    connection = http.client.HTTPConnection(urlsplit(system.url).netloc, timeout=60)
    headers = {"Authorization": f"Bearer {user.token}", "Accept-Encoding": "gzip"}
    connection.request(
        "GET", f"/api/v2/tasks/{running}/stream", headers=headers | ({"Connection": sent} if sent else {})
    )
    response = connection.getresponse()
    try:
        assert response.status == 200
        assert response.headers.get_all("Content-Type") == ["text/event-stream"]
        assert response.headers.get_all("Cache-Control") == ["no-cache"]
        assert response.headers.get_all("X-Accel-Buffering") == ["no"]
        assert response.headers.get_all("Connection") == ["keep-alive"]
        assert response.headers.get_all("Content-Encoding") is None
    finally:
        response.close()
        connection.close()


def test_connected_carries_the_starting_cursor_and_retry_has_jitter(
    system: System, user: User, running: str
) -> None:
    viewers = [opened(system, user, running, since) for since in (0, 3, "latest")]
    head = user.status(running)["sequence"]
    assert [v.control("connected")["id"] for v in viewers] == ["0", "3", str(head)]
    assert all(v.retry and 1000 <= v.retry <= 3000 for v in viewers)
    for viewer in viewers:
        viewer.close()


def test_without_a_cursor_a_task_starts_at_its_first_event(
    system: System, user: User, finished: tuple[str, int]
) -> None:
    viewer = opened(system, user, finished[0])
    viewer.control("end")
    assert viewer.sequences == list(range(1, finished[1] + 1))


def test_latest_is_live_only(system: System, user: User, running: str) -> None:
    viewer = opened(system, user, running, "latest")
    head = int(viewer.control("connected")["id"])
    user.client.post(f"/api/v2/tasks/{running}/cancel")
    viewer.control("end")
    assert viewer.sequences[0] == head + 1


def test_last_event_id_beats_the_query(system: System, user: User, finished: tuple[str, int]) -> None:
    viewer = SseViewer(system.url, user, finished[0])
    viewer.open(2, headers={"Authorization": f"Bearer {user.token}", "Last-Event-ID": "7"})
    viewer.control("end")
    assert viewer.sequences == list(range(8, finished[1] + 1))


def test_a_client_that_has_the_last_event_gets_204(
    system: System, user: User, finished: tuple[str, int]
) -> None:
    task_id, last = finished
    response = user.client.get(f"/api/v2/tasks/{task_id}/stream", headers={"Last-Event-ID": str(last)})
    assert (response.status_code, response.content) == (204, b"")


def test_end_carries_the_position_so_that_coming_back_is_204(
    system: System, user: User, finished: tuple[str, int]
) -> None:
    viewer = opened(system, user, finished[0], 0, types="agent_started")
    assert viewer.control("end")["id"] == str(finished[1])
    assert [e["type"] for e in viewer.events] == ["agent_started"]
    viewer.close()


@pytest.mark.parametrize("bad", ["abc", "-1", "1.5", "1 2", "٣", "9" * 30, "1,2", "hash.1.2"])
def test_a_garbage_cursor_is_refused_by_name(system: System, user: User, running: str, bad: str) -> None:
    for response, name in (
        (
            user.client.get(f"/api/v2/tasks/{running}/stream", headers={"Last-Event-ID": bad.encode()}),
            "Last-Event-ID",
        ),
        (
            user.client.get(f"/api/v2/tasks/{running}/stream", params={"since_sequence": bad}),
            "since_sequence",
        ),
    ):
        assert response.status_code in (400, 422), response.text
        assert response.headers["Content-Type"] == "application/problem+json"
        assert name in response.json()["errors"]


def test_filters_by_type_and_least_level(system: System, user: User) -> None:
    task_id = user.start("test_logging")
    user.finished(task_id)
    by_type = opened(system, user, task_id, 0, types="task_status,agent_completed")
    by_level = opened(system, user, task_id, 0, types="log", level="WARNING")
    by_type.control("end")
    by_level.control("end")
    assert {e["type"] for e in by_type.events} == {"task_status", "agent_completed"}
    assert {e["level"] for e in by_level.events} == {"WARNING", "ERROR"}
    for name, query in (
        ("types", {"types": "log; drop"}),
        ("level", {"level": "LOUD"}),
        ("color", {"color": "red"}),
    ):
        response = user.client.get(f"/api/v2/tasks/{task_id}/stream", params=query)
        assert response.status_code == 422
        assert name in response.json()["errors"]


@pytest.mark.slow
def test_a_quiet_stream_is_kept_alive_without_a_change_of_id(user: User, quick: str, running: str) -> None:
    viewer = SseViewer(quick, user, running)
    viewer.open(0)
    seen = user.status(running)["sequence"]
    viewer.wait_events(seen)
    wait_for("two keep-alives", lambda: viewer.comments >= 2, 60)
    assert viewer.sequences == list(range(1, seen + 1))
    assert not [c for c in viewer.controls if c[0] != "connected"]
    viewer.close()


def test_a_quiet_filtered_stream_tells_the_position_it_has_scanned(
    user: User, quick: str, tmp_path: Path
) -> None:
    with held(user, tmp_path) as run:
        viewer = SseViewer(quick, user, run.id, types="approval_needed")
        viewer.open(0)
        position = viewer.control("heartbeat")["id"]
        assert 0 < int(position) <= user.status(run.id)["sequence"]
        viewer.close()


def test_head_asks_without_opening_a_stream(user: User, running: str) -> None:
    response = user.client.head(f"/api/v2/tasks/{running}/stream")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/event-stream")


def test_the_cookie_opens_a_stream_for_a_native_event_source(
    system: System, user: User, running: str
) -> None:
    client = httpx.Client(base_url=system.url, timeout=60)
    with client:
        client.post("/api/v2/auth/login", json={"email": user.email, "password": "correct horse battery"})
        with client.stream("GET", f"/api/v2/tasks/{running}/stream") as response:
            assert response.status_code == 200


def test_nobody_else_may_watch(system: System, user: User, other: User, running: str) -> None:
    anonymous = httpx.get(f"{system.url}/api/v2/tasks/{running}/stream", timeout=60)
    foreign = other.client.get(f"/api/v2/tasks/{running}/stream")
    absent = other.client.get("/api/v2/tasks/00000000-0000-4000-8000-000000000000/stream")
    assert (anonymous.status_code, foreign.status_code, absent.status_code) == (401, 404, 404)
    assert foreign.json() == absent.json()


def test_an_event_that_was_cut_in_the_middle_is_sent_again_whole(system: System, user: User) -> None:
    text = "long " * 3000
    task_id = user.start("test_echo", text=text)
    last = user.finished(task_id)["sequence"]
    address = urlsplit(system.url)
    with socket.create_connection((str(address.hostname), int(address.port or 80))) as raw:
        request = f"GET /api/v2/tasks/{task_id}/stream HTTP/1.1\r\nHost: {address.netloc}\r\n"
        raw.sendall(f"{request}Authorization: Bearer {user.token}\r\n\r\n".encode())
        received = b""
        while b"long long" not in received:
            more = raw.recv(500)
            assert more, "the server closed"
            received += more
    whole = received.rpartition(b"\n\n")[0]
    seen = int(whole.rpartition(b"\nid: ")[2].partition(b"\n")[0])
    assert seen < last
    viewer = opened(system, user, task_id, seen)
    viewer.control("end")
    assert viewer.sequences == list(range(seen + 1, last + 1))
    assert text in [e.get("message") for e in viewer.events]


@pytest.mark.slow
def test_without_postgres_a_stream_says_come_back_and_only_others_get_503(system: System, user: User) -> None:
    task_id = user.start("test_echo")
    user.finished(task_id)
    line = TcpProxy(system.database_url)
    with system.web(DATABASE_URL=line.url) as url:
        line.cut()
        headers = {"Authorization": f"Bearer {user.token}"}
        path = f"{url}/api/v2/tasks/{task_id}/stream"
        event_source = httpx.get(path, headers=headers | {"Accept": "text/event-stream"}, timeout=60)
        script = httpx.get(path, headers=headers, timeout=60)
        line.mend()

        def comes_back() -> bool:
            """As an EventSource does: for a second the process does not try Postgres again."""
            return (
                "event: end"
                in httpx.get(path, headers=headers | {"Accept": "text/event-stream"}, timeout=60).text
            )

        wait_for("the stream", comes_back)
    line.close()
    assert (event_source.status_code, event_source.text[:7]) == (200, "retry: ")
    assert (script.status_code, script.headers["Content-Type"]) == (503, "application/problem+json")
    assert script.headers["Retry-After"]
