"""The dialects over the wire: what holds for every stream holds at each of the older addresses."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from app.realtime.dialects import DIALECTS, Dialect
from tests.support.frames import Frames, events_in
from tests.support.line import TcpProxy
from tests.support.system import System, User, wait_for

pytestmark = pytest.mark.slow

TEXT = {"artifact_type": "quiz", "content": "Cells are small. The cell has a nucleus.", "notebook_id": "n"}
each = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
of_user = pytest.mark.parametrize("dialect", DIALECTS[1:], ids=lambda d: d.name)
# As the documents print it, and not as the product's table has it.
SIGNS = {
    "job_progress": ": keepalive\n\n",
    "notices": ": keepalive\n\n",
    "artifact_events": ": keepalive\n\n",
    "notifications_by_severity": "event: heartbeat\n",
    "events_in_words": "event: ping\n",
}


def of_task(dialect: Dialect) -> bool:
    return "<uuid:task_id>" in dialect.path


def path(dialect: Dialect, task_id: str) -> str:
    return dialect.path.replace("<uuid:task_id>", task_id)


@pytest.fixture(scope="module")
def past(system: System) -> Iterator[tuple[User, str]]:
    """Somebody with an artifact that is done, and with notifications of it and of another one."""
    user = system.user()
    user.finished(user.start("artifact", **TEXT))
    task_id = user.start("artifact", **TEXT)
    user.finished(task_id)
    yield user, task_id
    user.client.close()


@each
def test_the_headers_are_exact_with_or_without_the_last_slash(
    system: System, past: tuple[User, str], dialect: Dialect
) -> None:
    user, task_id = past
    for address in (path(dialect, task_id).rstrip("/"), path(dialect, task_id).rstrip("/") + "/"):
        with Frames(system.url, user, address) as frames:
            assert frames.status == 200, "no redirect"
            assert frames.headers.get_all("Content-Type") == ["text/event-stream"]
            assert frames.headers.get_all("Cache-Control") == ["no-cache"]
            assert frames.headers.get_all("X-Accel-Buffering") == ["no"]
            assert frames.headers.get_all("Connection") == ["keep-alive"]


@each
def test_nobody_else_gets_anything(
    system: System, past: tuple[User, str], other: User, dialect: Dialect
) -> None:
    address = path(dialect, past[1])

    with Frames(system.url, None, address) as anonymous, Frames(system.url, other, address) as foreign:
        assert anonymous.status == 401
        if of_task(dialect):
            assert foreign.status == 404
        else:
            assert foreign.status == 200
            foreign.wait("its cursor", lambda frames: frames.last_id == "0")
            assert events_in(foreign.messages) == []


@each
def test_a_ticket_opens_one_connection_without_headers(
    system: System, past: tuple[User, str], dialect: Dialect
) -> None:
    user, task_id = past
    ticket = user.client.post("/api/v2/auth/ticket").json()["ticket"]
    address = f"{path(dialect, task_id)}?ticket={ticket}"

    with Frames(system.url, None, address) as first, Frames(system.url, None, address) as second:
        assert (first.status, second.status) == (200, 401)


def ids_of(system: System, user: User, task_id: str, dialect: Dialect) -> list[str]:
    """The sequences of the events that the dialect looks at."""
    rows = system.sql(
        "SELECT seq, type FROM events JOIN streams ON streams.id = stream_id WHERE name = %s ORDER BY seq",
        f"task:{task_id}" if of_task(dialect) else f"user:{user.id}",
    )
    return [str(sequence) for sequence, type in rows if dialect.types is None or type in dialect.types]


@each
def test_it_resumes_from_every_id_without_gap_or_repeat(
    system: System, past: tuple[User, str], dialect: Dialect
) -> None:
    user, task_id = past
    address, ids = path(dialect, task_id), ids_of(system, user, task_id, dialect)
    with Frames(system.url, user, f"{address}?since_sequence=0") as frames:
        whole = frames.events(len(ids))
    assert [message.id for message in whole] == ids and len(ids) >= 2

    for seen, id in enumerate(ids[:-1], 1):
        with Frames(system.url, user, address, Last_Event_ID=id) as frames:
            assert frames.events(len(ids) - seen) == whole[seen:]


@each
def test_who_is_up_to_date_hears_nothing_twice(
    system: System, past: tuple[User, str], dialect: Dialect
) -> None:
    """A job that has ended has nothing more to say, which ends an EventSource."""
    user, task_id = past
    last = ids_of(system, user, task_id, dialect)[-1]

    with Frames(system.url, user, path(dialect, task_id), Last_Event_ID=last) as frames:
        if of_task(dialect):
            assert frames.status == 204
        else:
            frames.wait("its cursor", lambda f: f.last_id == last)
            assert events_in(frames.messages) == []


@each
def test_a_cursor_that_cannot_be_is_told(system: System, past: tuple[User, str], dialect: Dialect) -> None:
    user, task_id = past

    with Frames(system.url, user, path(dialect, task_id), Last_Event_ID="1000000") as frames:
        resync = frames.wait("resync", lambda f: [m for m in f.messages if m.type == "resync"])[0]
    refused = user.client.get(path(dialect, task_id), headers={"Last-Event-ID": "x"})

    assert json.loads(resync.data)["reason"] == "beyond_head"
    assert refused.status_code == 400 and list(refused.json()["errors"]) == ["Last-Event-ID"]


@of_user
def test_without_a_cursor_it_is_live_and_begins_with_the_place(
    system: System, past: tuple[User, str], dialect: Dialect
) -> None:
    user, task_id = past
    head = int(ids_of(system, user, task_id, DIALECTS[-1])[-1])

    with Frames(system.url, user, dialect.path) as frames:
        frames.wait("its cursor", lambda f: f.last_id == str(head))
        started = [user.start("artifact", **TEXT) for _ in range(2)]
        live = frames.events(2)

    assert all(int(message.id) > head for message in live)
    for task_id in started:
        user.finished(task_id)  # the next test reads the head of the same stream


def test_a_job_begins_with_its_present_state_and_ends_with_one_frame(system: System, user: User) -> None:
    address, task_id = DIALECTS[0].path, user.start("test_quiet")
    wait_for("its phase", lambda: user.status(task_id)["sequence"] >= 5)
    sequence = user.status(task_id)["sequence"]

    with Frames(system.url, user, address.replace("<uuid:task_id>", task_id)) as frames:
        first = frames.wait("the state", lambda f: f.messages)[0]
        user.client.post(f"/api/v2/tasks/{task_id}/cancel")
        assert frames.ended.wait(60)
    with Frames(system.url, user, address.replace("<uuid:task_id>", task_id)) as late:
        assert late.ended.wait(60)

    assert first.id == str(sequence)
    assert json.loads(first.data) == {"progress": 0, "message": "nothing to say", "status": "processing"}
    last = {"progress": 100, "message": "Cancelled", "status": "cancelled"}
    assert [d for d in frames.data if d["status"] != "processing"] == [last]
    assert late.data == [last] and late.messages[0].id == str(user.status(task_id)["sequence"])


def test_events_in_words_are_filtered_by_type(system: System, past: tuple[User, str]) -> None:
    user, _ = past

    with Frames(system.url, user, "/api/v1/events/stream?types=task_completed&since_sequence=0") as frames:
        frames.events(1)
        assert {message.type for message in events_in(frames.messages)} == {"task_completed"}
    refused = user.client.get("/api/notifications/stream", params={"types": "notification"})
    assert refused.status_code == 422 and list(refused.json()["errors"]) == ["types"]


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_each_says_that_it_lives_whether_busy_or_not(quick: str, system: System, busy: bool) -> None:
    user, stop = system.user(), threading.Event()
    task_id = user.start("test_endless" if busy else "test_quiet")
    wait_for("its start", lambda: user.status(task_id)["task"]["is_running"])

    def keep_busy() -> None:
        while not stop.wait(0.3):
            user.start("test_echo")

    thread = threading.Thread(target=keep_busy)
    if busy:
        thread.start()
    opened = [Frames(quick, user, path(dialect, task_id)) for dialect in DIALECTS]
    try:
        for dialect, frames in zip(DIALECTS, opened, strict=True):
            sign = SIGNS[dialect.name]
            frames.wait(f"two of {sign!r}", lambda f, sign=sign: f.body.count(sign.encode()) >= 2)
            ids = [int(line[4:]) for line in frames.body.decode().split("\n") if line.startswith("id: ")]
            assert ids == sorted(ids), "no id goes back"
        beats = [d for d in opened[3].data if d.get("type") == "heartbeat"]
        assert beats[-1].keys() == {"type", "timestamp", "connections"}
        assert beats[-1]["connections"] == len(DIALECTS)
    finally:
        stop.set()
        if busy:
            thread.join(60)
        for frames in opened:
            frames.__exit__()
        user.client.post(f"/api/v2/tasks/{task_id}/cancel")
        user.client.close()


def test_a_heartbeat_counts_the_connections_on_all_processes(quick: str, system: System, user: User) -> None:
    def counted(frames: Frames) -> int:
        return int(frames.data[-1].get("connections", 0)) if frames.data else 0

    with (
        system.web(KEEPALIVE_SECONDS="1") as there,
        Frames(quick, user, "/api/notifications/stream") as frames,
    ):
        frames.wait("itself", lambda f: counted(f) == 1, 60)
        with (
            Frames(there, user, "/api/v1/events/stream"),
            Frames(there, user, "/api/notifications/stream") as second,
        ):
            frames.wait("all three", lambda f: counted(f) == 3, 60)
            second.wait("all three", lambda f: counted(f) == 3, 60)
        frames.wait("itself again", lambda f: counted(f) == 1, 60)


def test_switched_off_the_notification_streams_are_not_there(system: System, past: tuple[User, str]) -> None:
    user, task_id = past
    with system.web(ENABLE_SSE_NOTIFICATIONS="0") as url:
        for dialect in DIALECTS:
            with Frames(url, user, path(dialect, task_id)) as frames:
                assert frames.status == (404 if dialect.switched else 200), dialect.name
        polled = httpx.get(
            f"{url}/api/v1/notifications/unread-count", headers=dict(user.client.headers), timeout=60
        )

    assert polled.status_code == 200
    assert [d.path for d in DIALECTS if d.switched] == [
        "/api/v1/notifications/stream/",
        "/api/notifications/stream",
    ]


def test_without_postgres_each_says_come_back_and_a_server_that_ends_says_so_too(
    system: System, past: tuple[User, str]
) -> None:
    user, task_id = past
    line = TcpProxy(system.database_url)
    with system.web(DATABASE_URL=line.url) as url:
        line.cut()
        for dialect in DIALECTS:
            with Frames(url, user, path(dialect, task_id), Accept="text/event-stream") as away:
                assert away.ended.wait(60)
            script = httpx.get(url + path(dialect, task_id), headers=dict(user.client.headers), timeout=60)
            assert (away.status, away.body[:7], script.status_code) == (200, b"retry: ", 503)
        line.mend()

        def comes_back(dialect: Dialect) -> Frames | None:
            frames = Frames(url, user, path(dialect, task_id), Accept="text/event-stream")
            return (
                frames
                if frames.wait("an answer", lambda f: f.last_id or f.ended.is_set()) is not True
                else None
            )

        opened = [wait_for("the stream", partial(comes_back, dialect)) for dialect in DIALECTS[1:]]
    line.close()
    for frames in opened:
        assert frames.ended.wait(60) and frames.body.count(b"retry: ") == 2
        frames.__exit__()
