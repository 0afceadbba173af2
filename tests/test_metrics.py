from __future__ import annotations

import gc
import subprocess
import sys

import httpx
from prometheus_client.parser import text_string_to_metric_families

from app.garbage import Pauses
from app.metrics import LAG_BUCKETS, LoopLag
from tests.support.system import ROOT, System, User, wait_for
from tests.support.viewers import SseViewer


def scraped(system: System) -> dict[str, float]:
    """Each sample by its name, with the values of its labels."""
    answer = httpx.get(f"{system.url}/metrics")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return {
        ":".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_a_process_tells_of_itself_and_of_nobody_else(system: System, user: User) -> None:
    task_id = user.start("test_quiet")
    viewer = SseViewer(system.url, user, task_id)
    viewer.open(0)
    viewer.control("connected")

    found = wait_for(
        "the lag", lambda: s if (s := scraped(system))["taskroom_loop_lag_seconds_count"] else None
    )

    assert found["taskroom_viewers"] >= 1
    assert found["taskroom_rooms"] >= 1
    assert found["taskroom_ring_bytes"] >= 0
    assert found["taskroom_joins_in_flight"] == found["taskroom_joins_waiting"] == 0
    assert found["taskroom_redis_connected"] == 1
    assert 0 <= found["taskroom_redis_silence_seconds"] < 5
    assert found["taskroom_revocations_known"] == 1
    assert found["taskroom_database_connections_limit"] == 20
    assert {f"taskroom_gc_seconds_total:{n}" for n in range(3)} <= found.keys()
    assert found["taskroom_loop_lag_seconds_bucket:+Inf"] == found["taskroom_loop_lag_seconds_count"]
    assert found["process_cpu_seconds_total"] > 0
    assert found["process_resident_memory_bytes"] > 10_000_000
    assert user.id not in str(found) and task_id not in str(found)
    viewer.close()
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")


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
    assert 0 < pauses.longest[2] == pauses.seconds[2] < 10


def test_lag_falls_into_its_bucket() -> None:
    lag = LoopLag()
    for late in (0.0, LAG_BUCKETS[0], 0.3, 100.0):
        lag.note(late)
    assert lag.counts == [2, *[0] * 6, 1, 0, 0, 1]
    assert lag.longest == 100.0


def test_a_start_does_not_wait_for_the_metrics_library() -> None:
    code = "import app.metrics, sys; assert 'prometheus_client' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
