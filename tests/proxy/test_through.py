"""What passes through nginx, over each transport."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.proxy.conftest import Site
from tests.support.held import Held, held
from tests.support.javascript import JavaScriptViewer
from tests.support.system import User, wait_for
from tests.support.viewers import SocketViewer, SseViewer, Viewer


@pytest.fixture
def quiet(user: User) -> str:
    """A task that has said little and says nothing more until it is cancelled."""
    task_id = user.start("test_quiet")
    wait_for("its phase", lambda: user.status(task_id)["sequence"] >= 5, 60)
    return task_id


def close(viewers: list[Viewer]) -> None:
    for viewer in viewers:
        viewer.close()


def test_an_event_stream_is_not_held_back(site: Site, user: User, quiet: str) -> None:
    viewer = SseViewer(site.url, user, quiet)
    try:
        viewer.open(0)
        assert viewer.status == 200 and ("Content-Type", "text/event-stream") in viewer.headers
        viewer.wait_events(5)  # what is held back comes with the end of the stream, or after 4 KB
        assert not viewer.ended
        user.client.post(f"/api/v2/tasks/{quiet}/cancel")
        wait_for("its end", lambda: viewer.ended, 60)
        assert viewer.sequences == list(range(1, user.status(quiet)["sequence"] + 1))
    finally:
        viewer.close()


@pytest.mark.parametrize("accept", ["identity", "gzip", "br"])
def test_a_static_file_comes_through_in_the_form_that_was_asked_for(site: Site, accept: str) -> None:
    headers = {"Accept-Encoding": accept}
    with httpx.stream("GET", f"{site.url}/client/taskroom.js", headers=headers) as through:
        sent = len(b"".join(through.iter_raw()))
    direct = httpx.head(f"{site.urls[1]}/client/taskroom.js", headers=headers)

    assert sent == int(direct.headers["Content-Length"])
    for name in ("Content-Encoding", "ETag", "Vary"):
        assert through.headers.get(name) == direct.headers.get(name), name


def all_of_it(viewers: list[Viewer], run: Held, user: User, least: int) -> None:
    """The run is let go once each has heard so much of it; then each has heard every event."""
    for viewer in viewers:
        viewer.wait_events(least)
    run.let_go()
    for viewer in viewers:
        viewer.control("end")
        assert viewer.sequences == list(range(1, user.status(run.id)["sequence"] + 1))


def test_websockets_through_nginx(site: Site, user: User, tmp_path: Path) -> None:
    with held(user, tmp_path) as run:
        viewers: list[Viewer] = [SocketViewer(site.url, user, run.id) for _ in range(4)]
        try:
            for viewer in viewers:
                viewer.open(0)
            all_of_it(viewers, run, user, 100)
        finally:
            close(viewers)


def test_long_polling_stays_with_its_process(site: Site, user: User, tmp_path: Path) -> None:
    """At most a dozen events an answer: 400 take more than thirty polls, and a stray one would end the session."""
    with held(user, tmp_path, rate=200) as run:
        viewers = [SocketViewer(site.url, user, run.id, transports=("polling",)) for _ in range(4)]
        try:
            for viewer in viewers:
                viewer.open(0)
            sids = [str(viewer.client.eio.sid) for viewer in viewers]
            assert {sid.partition("-")[0] for sid in sids} == {"1", "2"}, sids
            all_of_it([*viewers], run, user, 400)
        finally:
            close([*viewers])


def test_a_polling_session_is_upgraded_in_its_process(site: Site, user: User, quiet: str) -> None:
    viewers = [JavaScriptViewer(site.url, user, quiet, ("polling", "websocket")) for _ in range(3)]
    try:
        for viewer in viewers:
            viewer.open(0)
        for viewer in viewers:
            wait_for("its upgrade", lambda v=viewer: len(v.connections) == 2, 60)
            first, then = viewer.connections
            assert (first["name"], then["name"]) == ("polling", "websocket")
            assert first["sid"] == then["sid"], "it had to connect anew"
        user.client.post(f"/api/v2/tasks/{quiet}/cancel")
        for viewer in viewers:
            viewer.control("end")
            assert viewer.sequences == list(range(1, user.status(quiet)["sequence"] + 1))
    finally:
        close([*viewers])


def test_a_session_id_of_no_process_is_refused_by_one(site: Site) -> None:
    """As after a restart with fewer processes: a clear 400, upon which the client connects anew."""
    answer = httpx.get(f"{site.url}/socket.io/?EIO=4&transport=polling&sid=7-unknown")
    assert answer.status_code == 400


def test_the_host_keeps_its_port_for_the_comparison_with_origin(site: Site, user: User) -> None:
    with site.client(user) as client:
        login = {"email": user.email, "password": "wrong"}
        own = client.post("/api/v2/auth/login", json=login, headers={"Origin": site.url})
        handshake = "/socket.io/?EIO=4&transport=polling"
        assert own.status_code == 401
        assert client.get(handshake, headers={"Origin": site.url}).status_code == 200
        assert client.get(handshake, headers={"Origin": "http://127.0.0.1"}).status_code == 400


def test_a_page_over_tls_may_open_sockets(site: Site) -> None:
    """A proxy in front of nginx ends TLS: the browser's origin is https, whether that proxy says so or not."""
    address = f"{site.url}/socket.io/?EIO=4&transport=polling"
    https = {"Origin": site.url.replace("http:", "https:")}
    assert httpx.get(address, headers=https | {"X-Forwarded-Proto": "https"}).status_code == 200
    assert httpx.get(address, headers=https).status_code == 200
    assert httpx.get(address, headers={"Origin": "https://elsewhere.example"}).status_code == 400


def test_a_large_body_is_a_problem(site: Site, user: User) -> None:
    with site.client(user) as client:
        client.headers["Content-Type"] = "application/json"
        answer = client.post("/api/v2/agent/start", content=b"x" * (2 * 1024 * 1024 + 1))
        assert answer.status_code == 413 and answer.json()["status"] == 413
        assert answer.headers["Content-Type"] == "application/problem+json"
        # The largest that passes is read by the application, and stays out of nginx's private folder.
        task_id = user.start("test_echo")
        answer = client.post(f"/api/v2/tasks/{task_id}/events", content=b"x" * (2 * 1024 * 1024))
        assert answer.status_code == 403, "it is no worker"
        answer = client.post("/api/v2/agent/start", content=b"x" * (256 * 1024))
        assert answer.status_code == 400


def test_nginx_names_each_request_itself(site: Site) -> None:
    answers = [httpx.get(f"{site.url}/livez", headers={"X-Request-ID": "chosen"}) for _ in range(2)]

    names = [answer.headers.get_list("X-Request-ID") for answer in answers]
    assert all(len(name) == 1 and len(name[0]) == 32 for name in names), names
    assert names[0] != names[1]
