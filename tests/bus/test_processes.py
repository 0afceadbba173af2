"""Scripts, workers and web processes: whoever subscribed is told by itself, wherever it was published."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from app.bus import EventBus, EventService, all_users
from app.stream import publisher as publishers
from app.stream import subscription as subscriptions
from app.stream import tailcheck
from app.up.home import Home
from tests.bus.conftest import Recorder, process_of
from tests.support.embedded import EmbeddedRedis
from tests.support.system import ROOT, System, User, wait_for
from tests.support.viewers import SocketViewer, SseViewer
from tests.tasks.helpers import Tasks

pytestmark = pytest.mark.slow

# As printed, but for the import, the id, and a loop to await in.
PYTHON_TEST = """
import asyncio
from app.bus import get_event_bus

# Test handler
async def test_handler(event_data):
    print(f"Received event: {event_data}")

async def main():
    # Subscribe
    bus = get_event_bus()
    bus.subscribe("artifact.completed", test_handler)

    # Simulate event
    await bus.publish("artifact.completed", {
        "job_id": "test123",
        "user_id": "USER",
        "artifact_type": "quiz",
        "notebook_id": "session",
        "timestamp": "2026-02-08T10:30:00Z",
        "result": {"questions": []}
    })

asyncio.run(main())
"""

CUSTOM_HANDLER = """
from app.bus import get_event_bus
import asyncio, sys

# Define async handler
async def my_handler(event_data: dict):
    job_id = event_data['job_id']
    user_id = event_data['user_id']
    artifact_type = event_data['artifact_type']

    if 'result' in event_data:
        # Completed
        print(f"{artifact_type} completed for {user_id}: {job_id}", flush=True)

    elif 'error' in event_data:
        # Failed
        print(f"{artifact_type} failed for {user_id}: {event_data['error']}", flush=True)

# Subscribe to events
event_bus = get_event_bus()
event_bus.subscribe("artifact.completed", my_handler)
event_bus.subscribe("artifact.failed", my_handler)
print("subscribed", flush=True)
sys.stdin.read()
"""

IN_THE_WEB = """
from app import green
green.patch()
import asyncio, sys, threading, time
from app import create_app
from app.bus import EventService, get_event_bus
app = create_app()
parts = app.extensions["taskroom"]
with app.app_context():
    parts.start()
heard, begun, go = [], set(), threading.Event()

def plain(event):
    begun.add("plain")
    heard.append("plain" if go.wait(60) else "nobody went on beside a plain one")

async def awaited(event_data):
    begun.add("awaited")
    limit = time.monotonic() + 60
    while not go.is_set() and time.monotonic() < limit:
        await asyncio.sleep(0.01)
    await get_event_bus().publish("passed.on", {"user_id": "USER"})
    heard.append("awaited" if go.is_set() else "nobody went on beside one that is awaited")

def passed_on(event_data):
    heard.append("passed on")

EventService().subscribe("USER", plain)
get_event_bus().subscribe("note", awaited)
get_event_bus().subscribe("passed.on", passed_on)
EventService().publish("USER", "note", {})
limit = time.monotonic() + 120
while len(begun) < 2 and time.monotonic() < limit:
    time.sleep(0.01)
go.set()
while len(heard) < 4 and time.monotonic() < limit:
    time.sleep(0.01)
print(sorted(heard))
parts.stop()
"""

FORKED = """
import os, time
from app.bus import EventService
service, heard = EventService(), []
service.subscribe("USER", lambda event: heard.append(event["type"]))
child = os.fork()
if child == 0:
    assert service.get_subscriber_count("USER") == 0, "they are the parent's"
    service.subscribe("USER", lambda event: os._exit(event["type"] == "late" and 7))
    service.publish("USER", "late", {})
    time.sleep(60)
    os._exit(1)
status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
limit = time.monotonic() + 60
while not heard and time.monotonic() < limit:
    time.sleep(0.01)
print(status, heard)
"""


def run(system: System, script: str, user_id: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script.replace("USER", user_id)],
        cwd=ROOT,
        env=system.environment(),
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout


@pytest.fixture
def events(system: System) -> Iterator[EventBus]:
    """In this process, beside the web process and the worker."""
    with process_of(system.database_url, system.redis_url):
        events = EventBus()
        yield events
        events._stop()


def test_the_printed_test_prints_what_it_says(system: System, user: User) -> None:
    printed = run(system, PYTHON_TEST, user.id)

    assert printed.startswith("Received event: {") and printed.count("\n") == 1
    assert "'job_id': 'test123'" in printed and f"'user_id': '{user.id}'" in printed
    assert "'sequence': 1" in printed and "'result': {'questions': []}" in printed


def test_a_printed_handler_in_a_process_of_its_own_hears_what_a_worker_does(
    system: System, user: User
) -> None:
    script = subprocess.Popen(
        [sys.executable, "-c", CUSTOM_HANDLER],
        cwd=ROOT,
        env=system.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert script.stdin and script.stdout
    assert script.stdout.readline() == "subscribed\n"

    done = user.start("artifact", artifact_type="quiz", content="Cells divide. Plants grow.")
    user.finished(done, 60)
    failed = user.start("artifact", artifact_type="flashcards", content="...")
    error = user.finished(failed, 60)["task"]["error"]["message"]
    printed = script.stdout.readline() + script.stdout.readline()
    script.stdin.close()
    printed += script.stdout.read()
    script.wait(60)
    script.stdout.close()

    assert printed == f"quiz completed for {user.id}: {done}\nflashcards failed for {user.id}: {error}\n"


def test_a_whole_life_is_told_in_order(events: EventBus, user: User) -> None:
    recorder, types = (
        Recorder(),
        ["task_created", "status_changed", "agent_started", "agent_completed", "task_completed"],
    )
    for type in types:
        events.subscribe(type, recorder)

    task_id = user.start("test_echo", text="x")

    recorder.waits(6)
    assert {event["task_id"] for event in recorder.received} == {task_id}
    assert recorder.sequences == sorted(recorder.sequences) and len(set(recorder.sequences)) == 6


def test_what_a_worker_publishes_is_told_once(events: EventBus, user: User) -> None:
    recorder = Recorder()
    events.subscribe("note.made", recorder)
    events.subscribe("task_completed", recorder)

    user.start("test_publish", text=user.id)

    recorder.waits(2)
    assert recorder.received[0]["from"] == "a worker" and recorder.received[1]["success"]


def test_in_a_web_process_nobody_waits_for_a_handler(system: System, user: User) -> None:
    assert run(system, IN_THE_WEB, user.id).splitlines() == ["['awaited', 'passed on', 'plain', 'plain']"]


def test_a_forked_child_has_no_handlers_and_may_have_its_own(system: System, user: User) -> None:
    assert run(system, FORKED, user.id) == "7 ['late']\n"


def test_what_is_published_goes_to_viewers_too(events: EventBus, system: System, user: User) -> None:
    own, everybodys = (
        SseViewer(system.url, user, "", "events"),
        SocketViewer(system.url, user, "", room="broadcast"),
    )
    own.open(0), everybodys.open()

    made = EventService().publish(user.id, "note.made", {"text": "x"})
    sent = EventService().publish_broadcast("maintenance", {"at": "noon"})

    own.wait_events(1), everybodys.wait_events(1)
    own.close(), everybodys.close()
    # What everybody is told reaches a user's stream too.
    assert [event for event in own.events if event["stream"] != "broadcast"] == [
        {"type": "note.made", **(made or {})}
    ]
    assert everybodys.events == [{"type": "maintenance", **(sent or {})}]


def test_redis_is_killed_and_comes_back_and_nobody_misses_anything(
    database: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishers, "PUBLISH_PAUSE", 0.1)
    monkeypatch.setattr(subscriptions, "SETTLE_SECONDS", 0.15)
    monkeypatch.setattr(tailcheck, "AWAY_SECONDS", 0.1)
    monkeypatch.setattr(all_users, "OUTAGE_CHECK_SECONDS", 0.1)
    home = Home.open(tmp_path_factory.mktemp("redis"))
    user_ids = [Tasks(database).user_id for _ in range(3)]
    with EmbeddedRedis(home) as redis, process_of(database, redis.url) as hub:
        by_type, by_user, events, service = Recorder(), Recorder(), EventBus(), EventService()
        events.subscribe("note", by_type)
        service.subscribe(user_ids[0], by_user)

        def publish(expected: int) -> None:
            for user_id in user_ids:
                service.publish(user_id, "note", {})
            by_type.waits(3 * expected), by_user.waits(expected)

        publish(1)
        redis.kill()
        wait_for("its end to be noticed", lambda: not hub.subscription.connected, 60)
        publish(2)  # told while it is away
        for user_id in user_ids:
            service.publish(user_id, "note", {})
        redis.start()
        by_type.waits(9), by_user.waits(3)
        wait_for("its return to be noticed", lambda: hub.subscription.receiving, 60)
        publish(4)
        events._stop()

    assert by_user.sequences == [1, 2, 3, 4]
    for user_id in user_ids:
        assert [e["sequence"] for e in by_type.received if e["user_id"] == user_id] == [1, 2, 3, 4]
