from __future__ import annotations

import threading
from types import SimpleNamespace

import pytest

from app.errors import Full, TooMany
from app.http.admission import AdmissionQueue
from app.realtime.connection_limits import ConnectionLimits
from app.realtime.socketio.rooms import Rooms
from tests.api.answers import problem
from tests.support.parts import Parts
from tests.support.system import System, User, wait_for
from tests.support.viewers import SseViewer

pytestmark = pytest.mark.slow


def test_no_more_than_so_many_join_at_once_and_the_rest_wait() -> None:
    joins, go = ConnectionLimits(None, 100, at_once=3), threading.Event()
    most = 0

    def join() -> None:
        nonlocal most
        with joins.queue:
            most = max(most, joins.queue.admitted)
            go.wait(60)

    threads = [threading.Thread(target=join) for _ in range(10)]
    for thread in threads:
        thread.start()
    wait_for("three in, seven waiting", lambda: (joins.queue.admitted, len(joins.queue)) == (3, 7))
    go.set()
    for thread in threads:
        thread.join(60)

    assert most == 3
    assert (joins.queue.admitted, len(joins.queue)) == (0, 0)


def test_nobody_overtakes_and_who_gives_up_is_passed_over() -> None:
    queue, order = AdmissionQueue(1), list[int]()
    queue.__enter__()

    def wait(n: int) -> None:
        queue.__enter__()
        order.append(n)

    class Gone(BaseException):
        """Whoever waited was ended."""

    threads = [threading.Thread(target=wait, args=(n,)) for n in range(4)]
    for n, thread in enumerate(threads):
        thread.start()
        wait_for("its place", lambda n=n: len(queue) == n + 1)
    leaving = queue._waiting[1]
    with pytest.raises(Gone), pytest.MonkeyPatch.context() as patch:
        patch.setattr(threading.Event, "wait", lambda self: (_ for _ in ()).throw(Gone))
        queue.__enter__()
    assert len(queue) == 4 and queue._waiting[1] is leaving
    for n in range(4):
        queue.__exit__()
        threads[n].join(60)

    assert order == [0, 1, 2, 3]
    queue.__exit__()
    queue.__enter__()


def test_a_join_that_waits_for_its_own_socket_keeps_nobody_from_joining() -> None:
    joins, seen = ConnectionLimits(None, 100), list[int]()

    class Lock:
        """Of a socket; sees how many places are taken when somebody comes to wait for it."""

        def __enter__(self) -> None:
            seen.append(joins.queue.admitted)

        def __exit__(self, *_: object) -> None: ...

    rooms = Rooms(Parts({ConnectionLimits: joins}))  # type: ignore[arg-type]
    connection = SimpleNamespace(lock=Lock())  # which is all it has: each join ends right after
    for join in (rooms.join_task, rooms.join_events, rooms.join_notifications, rooms.join_broadcast):
        with pytest.raises((AttributeError, RuntimeError)):
            join(connection, {"task_id": "x"})  # type: ignore[arg-type]

    assert seen == [0, 0, 0, 0]
    assert joins.queue.admitted == 0


def test_a_join_that_fails_makes_room() -> None:
    joins = ConnectionLimits(None, 100, at_once=1)
    for _ in range(3):
        with pytest.raises(LookupError), joins.queue:
            raise LookupError
    assert joins.queue.admitted == 0


def test_a_user_may_have_so_many_and_one_that_leaves_makes_room() -> None:
    joins = ConnectionLimits(2, 100)
    joins.admit("ann")
    joins.admit("ann")
    with pytest.raises(TooMany) as refusal:
        joins.admit("ann")
    assert refusal.value.status == 429
    joins.admit("bob")
    joins.release("ann")
    joins.admit("ann")
    assert joins.connections == 3


def test_a_full_process_admits_nobody_and_says_when_to_come_back() -> None:
    joins = ConnectionLimits(None, 2)
    joins.admit("ann")
    joins.admit("ann")
    with pytest.raises(Full) as refusal:
        joins.admit("bob")
    assert (refusal.value.status, refusal.value.headers) == (503, {"Retry-After": "2"})
    joins.release("ann")
    joins.admit("bob")


def test_the_count_is_right_after_a_crowd() -> None:
    joins = ConnectionLimits(50, 400)
    refused = []

    def come_and_go(user: str) -> None:
        for _ in range(500):
            try:
                joins.admit(user)
            except TooMany:
                refused.append(user)
            else:
                joins.release(user)

    threads = [threading.Thread(target=come_and_go, args=(f"user {n % 3}",)) for n in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert joins.connections == 0
    assert refused == []
    with pytest.raises(KeyError):
        joins.release("user 0")
    assert joins.connections == 0, "a leave too many is a mistake, and changes nothing"


def opened(url: str, user: User, task_id: str) -> SseViewer:
    viewer = SseViewer(url, user, task_id)
    viewer.open(0)
    viewer.control("connected")
    return viewer


def test_a_user_with_too_many_streams_is_429_until_one_is_closed(
    system: System, user: User, running: str
) -> None:
    with system.web(STREAMS_PER_USER="2", TASKROOM_BENCH="0") as url:
        first, second = (opened(url, user, running) for _ in range(2))
        path = f"{url}/api/v2/tasks/{running}/stream"
        problem(user.client.get(path), 429)
        first.close()
        third = wait_for("its place", lambda: again(url, user, running))
        third.close()
        second.close()


def again(url: str, user: User, task_id: str) -> SseViewer | None:
    """The server notices a closed client a moment later."""
    viewer = SseViewer(url, user, task_id)
    viewer.open(0)
    return viewer if viewer.status == 200 else None


def test_a_full_process_sends_an_event_source_away_to_come_back(
    system: System, user: User, running: str
) -> None:
    with system.web(MAX_VIEWERS="1") as url:
        first = opened(url, user, running)
        path = f"{url}/api/v2/tasks/{running}/stream"
        native = user.client.get(path, headers={"Accept": "text/event-stream"})
        assert (native.status_code, native.text[:6]) == (200, "retry:")
        plain = user.client.get(path)
        problem(plain, 503)
        assert plain.headers["Retry-After"]
        first.close()
