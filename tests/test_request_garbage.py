"""What a request was made of is gone with its answer: a collection of garbage visits the objects of all others, so it
must not be what frees the bodies of requests."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest

from app.realtime.socketio import handshakes
from tests.api.reporters import DONE, STARTED, Reporter, new_task
from tests.support.system import System, User, wait_for
from tests.support.viewers import SocketViewer

pytestmark = pytest.mark.slow

TIMES = 5
CLASSES = ("Protocol", "Request", "ObservedTask", "ReportedDrafts", "ValidationError")


@pytest.fixture(scope="module")
def collects_nothing(system: System) -> Iterator[str]:
    """A web process without a collector."""
    with system.web(TEST_GARBAGE="1") as url:
        yield url


@pytest.fixture
def at(user: User, collects_nothing: str) -> User:
    """The user, at that process; each request has a connection of its own."""
    headers = {**user.client.headers, "Connection": "close"}
    return User(user.id, user.email, user.token, httpx.Client(base_url=collects_nothing, headers=headers))


def objects(url: str) -> dict[str, int]:
    answer: dict[str, int] = httpx.get(f"{url}/objects", params={"name": CLASSES}, timeout=60).json()
    return answer


def unknown_path(user: User) -> httpx.Response:
    return user.client.get("/api/v2/nothing")


def unknown_page(user: User) -> httpx.Response:
    return user.client.get("/nothing", headers={"Accept": "text/html"})


def wrong_method(user: User) -> httpx.Response:
    return user.client.delete("/api/v2/events")


def no_token(user: User) -> httpx.Response:
    return httpx.get(f"{user.client.base_url}/api/v2/tasks", headers={"Connection": "close"}, timeout=60)


def unknown_task(user: User) -> httpx.Response:
    return user.client.get(f"/api/v2/tasks/{uuid.uuid4()}/status")


def wrong_query(user: User) -> httpx.Response:
    return user.client.get("/api/v2/tasks", params={"limit": "many"})


def unknown_field(user: User) -> httpx.Response:
    return user.client.post("/api/v2/agent/start", json={"job_type": "test_echo", "colour": "red"})


def wrong_params(user: User) -> httpx.Response:
    return user.client.post("/api/v2/agent/start", json={"job_type": "test_echo", "params": {"text": 1}})


def large_wrong_params(user: User) -> httpx.Response:
    params: dict[str, list[list[int]]] = {"text": [[]] * 5_000}
    return user.client.post("/api/v2/agent/start", json={"job_type": "test_echo", "params": params})


def no_json(user: User) -> httpx.Response:
    return user.client.post(
        "/api/v2/events", content=b"[" * 100, headers={"Content-Type": "application/json"}
    )


def reported_task(user: User) -> httpx.Response:
    return Reporter(user).post(new_task(STARTED, DONE))


def refused_part(user: User) -> httpx.Response:
    return Reporter(user).post(new_task({"type": "nothing"}))


REQUESTS: dict[Callable[[User], httpx.Response], int] = {
    unknown_path: 404,
    unknown_page: 404,
    wrong_method: 405,
    no_token: 401,
    unknown_task: 404,
    wrong_query: 422,
    unknown_field: 422,
    wrong_params: 422,
    large_wrong_params: 422,
    no_json: 400,
    reported_task: 202,
    refused_part: 202,
}


@pytest.mark.parametrize("send", REQUESTS, ids=lambda send: send.__name__)
def test_a_request_leaves_nothing_to_collect(at: User, send: Callable[[User], httpx.Response]) -> None:
    send(at)  # what is kept is made
    before = objects(str(at.client.base_url))

    for _ in range(TIMES):
        assert send(at).status_code == REQUESTS[send]

    wait_for("the connections to end", lambda: objects(str(at.client.base_url)) == before)


def test_a_refused_event_of_a_socket_leaves_nothing_to_collect(at: User) -> None:
    viewer = SocketViewer(str(at.client.base_url), at, str(uuid.uuid4()))
    client = viewer.connect()
    refused: list[tuple[object, int]] = [
        ({"task_id": viewer.task_id}, 404),
        ({"task_id": 5}, 422),
        ("no object", 422),
    ]

    def send() -> None:
        for data, status in refused:
            assert client.call("join_task", data, timeout=60)["error"]["status"] == status

    send()
    before = objects(str(at.client.base_url))
    for _ in range(TIMES):
        send()

    wait_for("the events to end", lambda: objects(str(at.client.base_url)) == before)
    client.disconnect()


def test_a_session_of_a_socket_keeps_neither_its_connection_nor_long_headers(collects_nothing: str) -> None:
    """Thousands may wait for their sign-in."""
    before = objects(collects_nothing)
    headers = {"Connection": "close", "Accept-Language": "a," * 500}

    for _ in range(TIMES):
        path = f"{collects_nothing}/socket.io/?EIO=4&transport=polling"
        assert httpx.get(path, headers=headers, timeout=60).status_code == 200

    wait_for("the connections to end", lambda: objects(collects_nothing) == before)


def test_of_a_handshake_is_kept_what_signs_in() -> None:
    signs_in = {"HTTP_COOKIE": "a=b", "HTTP_AUTHORIZATION": "Bearer t", "HTTP_ORIGIN": "https://a.test"}
    other = {"HTTP_ACCEPT": "a" * 1000, "headers_raw": (("accept", "a" * 1000),), "eventlet.input": object()}

    kept = handshakes.kept({**signs_in, **other, "REMOTE_ADDR": "::1", "wsgi.input": object()})

    assert kept.pop("wsgi.input").read() == b""
    assert kept == {**signs_in, "REMOTE_ADDR": "::1"}
