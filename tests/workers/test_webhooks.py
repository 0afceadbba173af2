"""Webhooks as a receiver sees them: two web processes, two workers, real requests."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.receiver import Receiver, receiving
from tests.support.system import System, User, wait_for

pytestmark = pytest.mark.slow

SETTINGS = {"WEBHOOK_ALLOW_PRIVATE": "127.0.0.1/32", "WEBHOOK_RETRY_SECONDS": "0.3,0.6,1.2"}
WORKERS = 2


def kill_workers(system: System) -> None:
    """With their children: one of them may be sending."""
    for worker in [p for p in system.processes if "celery" in p.args]:  # type: ignore[operator]
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        system.processes.remove(worker)


@pytest.fixture(scope="module")
def hooked(new_system: Callable[[str], System]) -> Iterator[System]:
    """Two web processes and two workers that may call the loopback."""
    with new_system("hooked").running(WORKERS, **SETTINGS) as system, system.web(**SETTINGS):
        try:
            system.warm_up()
            yield system
        finally:
            kill_workers(system)  # asked to end, one would first send what is due, for up to twenty seconds


@pytest.fixture
def someone(hooked: System) -> Iterator[User]:
    user = hooked.user()
    yield user
    user.client.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def hook(user: User, url: str, *types: str) -> Any:
    made = user.client.post("/api/v2/webhooks", json={"url": url, "event_types": types})
    assert made.status_code == 201, made.text
    return made.json()


def log(user: User, made: Any) -> Any:
    return user.get(f"webhooks/{made['id']}/deliveries")["deliveries"]


def test_an_event_of_a_task_is_one_signed_request_soon(
    hooked: System, someone: User, receiver: Receiver
) -> None:
    made = hook(someone, receiver.url, "task_completed", "agent_started")

    task_id = someone.start("test_echo")
    someone.finished(task_id)
    (received,) = wait_for("the request", lambda: receiver.of("task_completed"))

    assert received.verified(made["secret"]) and not received.verified("whsec_AAAA")
    assert received.payload["data"]["task_id"] == task_id
    assert received.payload["data"]["stream"] == f"user:{someone.id}"
    wait_for("the log", lambda: [d["status"] for d in log(someone, made)] == ["delivered"] * 2)
    (entry,) = next(d for d in log(someone, made) if d["id"] == received.id)["attempts"]
    assert (entry["status_code"], entry["number"], entry["error"]) == (204, 1, None)
    assert entry["duration_ms"] > 0
    assert len(receiver.received) == 2, "one of each, though two web processes and two workers run"
    logs = list(hooked.home.glob("*.log"))
    assert logs, "else nothing was looked at"
    for path in logs:
        assert made["secret"] not in path.read_text(errors="replace"), path


def test_many_events_are_each_told_once(someone: User, receiver: Receiver) -> None:
    made = hook(someone, receiver.url, "task_created", "task_completed")

    tasks = [someone.start("test_echo") for _ in range(15)]
    wait_for("all", lambda: len(receiver.received) >= 30, 60)

    wait_for("the log", lambda: {d["status"] for d in log(someone, made)} == {"delivered"})
    assert len({r.id for r in receiver.received}) == len(receiver.received) == 30
    sent = {(r.payload["type"], r.payload["data"]["task_id"]) for r in receiver.received}
    assert sent == {(type, task) for task in tasks for type in ("task_created", "task_completed")}


def test_what_fails_is_tried_again_until_it_goes_well(someone: User, receiver: Receiver) -> None:
    receiver.statuses = [500, 503]
    made = hook(someone, receiver.url, "task_created")

    someone.start("test_echo")
    wait_for("three tries", lambda: len(receiver.received) == 3)

    assert len({(r.id, r.body) for r in receiver.received}) == 1
    assert all(r.verified(made["secret"]) for r in receiver.received)
    wait_for("the log", lambda: log(someone, made)[0]["status"] == "delivered")
    (shown,) = log(someone, made)
    assert [a["status_code"] for a in shown["attempts"]] == [500, 503, 204]
    assert shown["attempts"][0]["response"] == "x" * 1_024
    assert someone.get("webhooks")["webhooks"][0]["failures"] == 0


def test_a_killed_sender_is_no_lost_delivery(hooked: System, someone: User, receiver: Receiver) -> None:
    made = hook(someone, receiver.url, "task_created")
    receiver.gate.clear()
    someone.start("test_echo")
    wait_for("the first request", lambda: receiver.received)

    kill_workers(hooked)
    receiver.gate.set()
    for _ in range(WORKERS):
        hooked.start_worker(**SETTINGS)
    hooked.sql(  # a minute later
        "UPDATE deliveries SET due_at = due_at - interval '1 minute' WHERE status = 'pending' AND webhook_id = %s",
        made["id"],
    )
    wait_for("the second request", lambda: len(receiver.received) == 2, 60)

    assert len({(r.id, r.body) for r in receiver.received}) == 1
    wait_for("the log", lambda: log(someone, made)[0]["status"] == "delivered")
    assert [a["number"] for a in log(someone, made)[0]["attempts"]] == [2], (
        "the first is lost with its sender"
    )


def test_a_ping_tells_whether_it_works(someone: User, receiver: Receiver) -> None:
    made = hook(someone, receiver.url, "notification")

    pinged = someone.client.post(f"/api/v2/webhooks/{made['id']}/ping")

    assert pinged.status_code == 202
    (received,) = wait_for("the ping", lambda: receiver.of("ping"))
    assert received.id == pinged.json()["delivery_id"] and received.verified(made["secret"])
    assert received.payload["data"]["webhook_id"] == made["id"]


def test_a_redirect_into_what_is_private_is_not_followed(someone: User, receiver: Receiver) -> None:
    """Allowed is 127.0.0.1, and nothing else of the loopback."""
    made = hook(someone, receiver.url, "task_created")
    receiver.statuses, receiver.location = [307], receiver.url.replace("127.0.0.1", "127.0.0.2")

    someone.start("test_echo")
    wait_for("a try", lambda: log(someone, made) and log(someone, made)[0]["attempts"])

    first = log(someone, made)[0]["attempts"][0]
    assert "private or reserved" in first["error"] and first["status_code"] is None
