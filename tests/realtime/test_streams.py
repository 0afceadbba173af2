"""What every transport promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.stream.room import RING_EVENTS
from tests.realtime.conftest import Open, watch_briefly
from tests.support.held import held
from tests.support.system import System, User, wait_for


def test_a_viewer_of_a_finished_task_gets_everything_then_end(user: User, watch: Open) -> None:
    task_id = user.start("test_phases", count=50)
    user.finished(task_id)
    viewer = watch(user, task_id, 0)
    assert viewer.control("end")["status"] == "SUCCESS"
    events = user.events(task_id)
    assert sorted(viewer.events, key=lambda e: e["sequence"]) == [
        {"type": e["type"], **e["data"]} for e in events
    ]
    assert viewer.sequences == list(range(1, len(events) + 1))


def test_a_viewer_of_a_running_task_gets_what_was_and_what_comes(
    user: User, watch: Open, tmp_path: Path
) -> None:
    with held(user, tmp_path, rate=500) as run:
        wait_for("some events", lambda: user.status(run.id)["sequence"] > 100, 60)
        viewer = watch(user, run.id, 0)
        viewer.wait_events(user.status(run.id)["sequence"] + 50)
        run.let_go()
        viewer.control("end")
    assert viewer.sequences == list(range(1, user.status(run.id)["sequence"] + 1))


def test_a_cut_viewer_resumes_without_gap_or_repeat(user: User, watch: Open, tmp_path: Path) -> None:
    with held(user, tmp_path, rate=500) as run:
        viewer = watch(user, run.id, 0)
        for seen in (50, 200, 400):
            viewer.wait_events(seen)
            viewer.cut()
            viewer.resume()
        run.let_go()
        viewer.control("end")
    assert viewer.sequences == list(range(1, user.status(run.id)["sequence"] + 1))


@pytest.fixture(scope="module")
def long_ago(system: System) -> Iterator[tuple[User, str]]:
    """Somebody with a task that has ended, of four times as many events as a room keeps."""
    user = system.user()
    task_id = user.start("emit_load", events=4 * RING_EVENTS, rate=0, message_bytes=200)
    user.finished(task_id, 60)
    yield user, task_id
    user.client.close()


@pytest.mark.slow
def test_a_slow_start_far_behind_the_ring_is_read_back_from_postgres(
    long_ago: tuple[User, str], watch: Open
) -> None:
    user, task_id = long_ago
    viewer = watch(user, task_id, 100)
    viewer.control("end")
    assert viewer.sequences == list(range(101, user.status(task_id)["sequence"] + 1))


def test_a_cursor_beyond_the_head_is_told_and_goes_on_live(user: User, watch: Open) -> None:
    task_id = user.start("test_endless")
    wait_for("its start", lambda: user.status(task_id)["task"]["is_running"])
    viewer = watch(user, task_id, 1_000_000)
    resync = viewer.control("resync")
    assert (resync["stream"], resync["reason"], resync["oldest"]) == (f"task:{task_id}", "beyond_head", 1)
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
    viewer.control("end")
    head = user.status(task_id)["sequence"]
    assert viewer.sequences == list(range(resync["head"] + 1, head + 1))


def test_a_cursor_older_than_what_is_kept_is_told_the_oldest(system: System, user: User, watch: Open) -> None:
    task_id = user.start("test_phases", count=50)
    head = user.finished(task_id)["sequence"]
    system.sql("UPDATE streams SET pruned_to = 10 WHERE name = %s", f"task:{task_id}")
    system.sql(
        "DELETE FROM events WHERE seq <= 10 AND stream_id = (SELECT id FROM streams WHERE name = %s)",
        f"task:{task_id}",
    )
    viewer = watch(user, task_id, 3)
    resync = viewer.control("resync")
    assert (resync["reason"], resync["oldest"], resync["head"]) == ("pruned", 11, head)
    viewer.control("end")
    assert viewer.sequences == list(range(11, head + 1))


def test_hostile_text_arrives_as_it_was_written(user: User, watch: Open) -> None:
    forged = 'event: end\ndata: {"type":"end"}\n\n<script>alert(1)</script>'
    text = f"a\nb\r\nc\rd\u2028e\u0085f\x0bg\x1ch\ufeff\n\n{forged}"
    task_id = user.start("test_echo", text=text)
    viewer = watch(user, task_id, 0)
    viewer.control("end")
    assert [e["message"] for e in viewer.events if e["type"] == "log"] == [text]
    assert viewer.sequences == list(range(1, user.status(task_id)["sequence"] + 1))


def test_a_ten_megabyte_line_is_cut_with_its_size(user: User, watch: Open) -> None:
    task_id = user.start("test_flood")
    viewer = watch(user, task_id, 0)
    viewer.control("end")
    (line,) = [e for e in viewer.events if e["type"] == "log"]
    assert len(line["message"]) < 20_000
    assert line["message"].endswith("[cut: 10,000,000 characters in all]")


def test_nul_and_lone_surrogates_are_replaced_and_the_rest_survives(user: User, watch: Open) -> None:
    task_id = user.start("test_dirty")
    viewer = watch(user, task_id, 0)
    viewer.control("end")
    assert [e["message"] for e in viewer.events if e["type"] == "log"] == [
        "nul \ufffd here",
        "bad ? name",
        "after",
    ]


def test_signing_out_closes_open_streams(system: System, watch: Open) -> None:
    leaver = system.user()
    task_id = leaver.start("test_endless")
    viewer = watch(leaver, task_id, 0)
    viewer.wait_events(1)
    assert leaver.client.post("/api/v2/auth/logout").status_code == 204
    assert viewer.closed.wait(60)
    system.sql("UPDATE streams SET cancel_requested = true WHERE name = %s", f"task:{task_id}")
    leaver.client.close()


@pytest.mark.slow
def test_a_token_that_expires_closes_the_stream_and_says_so(user: User, watch: Open) -> None:
    task_id = user.start("test_endless")
    viewer = watch_briefly(watch, user, task_id)
    viewer.control("token_expired")
    assert viewer.closed.wait(60)
    user.client.post(f"/api/v2/tasks/{task_id}/cancel")
