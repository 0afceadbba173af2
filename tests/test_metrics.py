from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.observability.gc_tuning import Pauses
from app.observability.loop_lag import LAG_BUCKETS, LoopLag
from tests.support.line import TcpProxy
from tests.support.system import System, User, wait_for
from tests.support.viewers import SocketViewer, SseViewer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def system(system: System) -> Iterator[System]:
    """With a web process that nobody else asks: its counters are these tests' own."""
    with system.web() as url:
        yield replace(system, url=url)


def scraped(system: System, url: str = "") -> dict[str, float]:
    """Each sample by its name, with the values of its labels."""
    answer = httpx.get(url or f"{system.url}/metrics")
    assert answer.status_code == 200
    if not url:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        ":".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_a_process_tells_of_itself_and_of_nobody_else(system: System, user: User) -> None:
    task_id = user.start("test_quiet")
    wait_for(
        "its start", lambda: user.status(task_id)["task"]["is_running"]
    )  # before the first look at the backlog
    viewer = SseViewer(system.url, user, task_id)
    viewer.open(0)
    viewer.control("connected")

    found = wait_for(
        "the lag, and Redis",
        lambda: (
            s
            if (s := scraped(system))["taskroom_loop_lag_seconds_count"] and s["taskroom_redis_connected"]
            else None
        ),
    )

    assert found["taskroom_viewers"] >= 1
    assert found["taskroom_rooms"] >= 1
    assert found["taskroom_ring_bytes"] >= 0
    assert found["taskroom_joins_in_flight"] == found["taskroom_joins_waiting"] == 0
    assert 0 <= found["taskroom_redis_silence_seconds"] < 60
    assert found["taskroom_revocations_known"] == 1
    assert found["taskroom_database_connections_limit"] == 20
    assert {f"taskroom_gc_seconds_total:{n}" for n in range(3)} <= found.keys()
    assert found["taskroom_loop_lag_seconds_bucket:+Inf"] == found["taskroom_loop_lag_seconds_count"]
    assert {"taskroom_leases_missed", "taskroom_dispatches_due", "taskroom_tasks:WAITING"} <= found.keys()
    assert found["taskroom_socketio_direct"] == 1
    assert found["process_cpu_seconds_total"] > 0
    assert found["process_resident_memory_bytes"] > 10_000_000
    assert user.id not in str(found) and task_id not in str(found)
    assert not [name for name in found if name.partition(":")[0].endswith("_created")], (
        "when each counter began"
    )
    wait_for(
        "a newer look at the backlog",
        lambda: (s := scraped(system))["taskroom_tasks:STARTED"] >= 1 and s["taskroom_leases"] >= 1,
    )
    viewer.close()
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")


def test_each_event_counts_once_for_each_viewer_under_the_names_of_older_dashboards(
    system: System, user: User
) -> None:
    task_id = user.start("test_phases", count=5)
    head = user.finished(task_id)["sequence"]
    types = Counter(event["type"] for event in user.events(task_id))
    before = scraped(system)
    viewers = [SseViewer(system.url, user, task_id) for _ in range(2)]
    socket = SocketViewer(system.url, user, task_id)

    for viewer in (*viewers, socket):
        viewer.open(0)
        viewer.control("end")
    gone = "taskroom_viewers_ended_total:ended"
    now = wait_for("their ends", lambda: s if (s := scraped(system))[gone] - before[gone] >= 3 else None)

    assert set(types) > {"log", "phase_update", "task_status"}
    for type, count in types.items():
        for name, factor in (("sse_messages_sent_total", 2), ("taskroom_socketio_messages_sent_total", 1)):
            assert now[f"{name}:{type}"] - before[f"{name}:{type}"] == factor * count, (name, type)
    assert now[gone] - before[gone] == 3
    assert socket.sequences == list(range(1, head + 1))
    socket.close()


def test_sse_connections_are_counted_while_they_last_and_measured_when_they_end(
    system: System, user: User
) -> None:
    task_id = user.start("test_quiet")
    before = wait_for(
        "those of before to be gone",
        lambda: s if not (s := scraped(system))["sse_connections_total"] else None,
    )
    viewer = SseViewer(system.url, user, task_id)
    viewer.open(0)
    viewer.control("connected")

    open = scraped(system)
    viewer.cut()

    assert open["sse_connections_total"] == before["sse_connections_total"] + 1
    ended = wait_for(
        "its end",
        lambda: (
            s if (s := scraped(system))["sse_connections_total"] == before["sse_connections_total"] else None
        ),
    )
    name = "sse_connection_duration_seconds"
    assert ended[f"{name}_count"] == open[f"{name}_count"] + 1
    assert ended[f"{name}_bucket:900.0"] == open[f"{name}_bucket:900.0"] + 1
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")


@pytest.mark.parametrize(
    ("last", "reason", "status"),
    [("1", "resumed", 200), ("99999", "resync", 200), ("head", "finished", 204), ("1", "refused", 404)],
)
def test_a_reconnection_is_counted_by_what_became_of_it(
    system: System, user: User, other: User, last: str, reason: str, status: int
) -> None:
    task_id = user.start("test_echo")
    head = user.finished(task_id)["sequence"]
    before = scraped(system)
    caller = other if reason == "refused" else user
    headers = {"Last-Event-ID": str(head) if last == "head" else last, "Accept": "text/event-stream"}

    answer = caller.client.get(f"/api/v2/tasks/{task_id}/stream", headers=headers)
    caller.client.get(f"/api/v2/tasks/{task_id}/stream", params={"since_sequence": 1})  # from a snapshot

    assert answer.status_code == status
    now, name = scraped(system), "sse_reconnection_attempts_total"
    came = {key.partition(":")[2]: now[key] - before[key] for key in now if key.startswith(name)}
    nothing = {"resumed": 0, "resync": 0, "finished": 0, "sent_away": 0, "refused": 0}
    assert came == nothing | {reason: 1}


def test_requests_are_counted_by_their_route_and_what_anybody_makes_up_is_one(
    system: System, user: User
) -> None:
    route = "taskroom_http_requests_total:{}:/api/v2/tasks/<uuid:task_id>/status:{}"
    task_id = user.start("test_echo")
    before = scraped(system)

    user.status(task_id)
    httpx.get(f"{system.url}/made/up")
    httpx.request("MADEUP", f"{system.url}/made/up")

    now = scraped(system)
    assert now[route.format("GET", 200)] == before.get(route.format("GET", 200), 0) + 1
    assert now["taskroom_http_requests_total:GET:none:404"] >= 1
    assert now["taskroom_http_requests_total:other:none:404"] >= 1
    assert now["taskroom_http_request_seconds_count"] > before["taskroom_http_request_seconds_count"]
    assert "made" not in str(now).lower() and task_id not in str(now)


def test_without_postgres_the_page_is_there_and_has_no_stale_backlog(
    behind_line: str, line: TcpProxy
) -> None:
    assert b"taskroom_leases " in httpx.get(f"{behind_line}/metrics").content
    line.cut()

    without = wait_for(
        "the old figures to go",
        lambda: (
            a.content
            if b"taskroom_leases " not in (a := httpx.get(f"{behind_line}/metrics", timeout=60)).content
            else None
        ),
    )

    assert b"taskroom_viewers " in without and b"taskroom_tasks{" not in without


def test_the_children_of_a_worker_tell_what_they_stored(system: System, user: User) -> None:
    before = scraped(system, system.worker_metrics)
    logs, ended = "taskroom_events_stored_total:log", "taskroom_attempts_total:{}"

    user.finished(user.start("test_phases", count=30))
    user.finished(user.start("test_fail"))

    now = wait_for(
        "the children's next second",
        lambda: (
            s
            if (s := scraped(system, system.worker_metrics))[ended.format("FAILURE")]
            > before[ended.format("FAILURE")]
            and s[ended.format("SUCCESS")] > before[ended.format("SUCCESS")]
            and s["taskroom_writer_buffered"] == 0
            else None
        ),
    )
    assert now[logs] - before[logs] >= 10
    assert now["taskroom_writer_batches_total"] > before["taskroom_writer_batches_total"]
    assert now["taskroom_writer_seconds_total"] > before["taskroom_writer_seconds_total"]
    assert now["taskroom_publishes_total"] > before["taskroom_publishes_total"]
    # A slow Redis may have lost some of others' before, which is no fault: rooms are compared with Postgres.
    assert now["taskroom_publishes_lost_total"] >= before["taskroom_publishes_lost_total"]
    assert user.id not in str(now)


def test_collections_are_counted_by_generation() -> None:
    pauses = Pauses()
    pauses.watch()
    try:
        gc.collect(0)
        gc.collect(2)
    finally:
        pauses.unwatch()
    gc.collect()
    assert pauses.count[0] >= 1 and pauses.count[2] == 1
    assert 0 < pauses.longest[2] == pauses.seconds[2] < 60


def test_lag_falls_into_its_bucket() -> None:
    lag = LoopLag()
    for late in (0.0, LAG_BUCKETS[0], 0.3, 100.0):
        lag.note(late)
    (found,) = lag.late.collect()
    buckets = [sample.value for sample in found.samples if sample.name.endswith("_bucket")]
    assert buckets == [2] * 7 + [3] * 3 + [4]
    assert lag.longest == 100.0
