"""The six backend tests of the story of notifications in real time, under its names."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx

from tests.support.system import System, User, wait_for

STREAM = "/api/notifications/stream"
Notify = Callable[..., dict[str, Any]]


@asynccontextmanager
async def streaming(url: str, token: str) -> AsyncIterator[httpx.Response]:
    """The stream, once its first words have come: from there on nothing is missed."""
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx.AsyncClient(base_url=url, timeout=120) as client,
        client.stream("GET", STREAM, headers=headers) as response,
    ):
        yield response


def test_sse_endpoint_should_establish_connection(system: System, user: User) -> None:
    headers = {"Authorization": f"Bearer {user.token}"}

    with httpx.stream("GET", system.url + STREAM, headers=headers, timeout=60) as response:
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["connection"] == "keep-alive"


def test_sse_endpoint_should_require_authentication(system: System) -> None:
    nobody = httpx.get(system.url + STREAM, timeout=60)
    invalid = httpx.get(system.url + STREAM, headers={"Authorization": "Bearer invalid_token"}, timeout=60)

    assert (nobody.status_code, invalid.status_code) == (401, 401)


def test_sse_should_send_heartbeat_every_30_seconds(user: User, lively: str) -> None:
    """Every two seconds here: all keep-alives are fifteen times as often, and that they are due every 30 otherwise
    is shown by tests/realtime/test_sse_wire.py."""

    async def event_types() -> list[str]:
        types: list[str] = []
        async with streaming(lively, user.token) as response:
            async for line in response.aiter_lines():
                if line.startswith("event: "):
                    types.append(line.removeprefix("event: "))
                    if len(types) > 3:
                        break
        return types

    assert asyncio.run(event_types()) == ["connected", "heartbeat", "heartbeat", "heartbeat"]


def test_sse_should_broadcast_new_notifications(system: System, user: User, notify: Notify) -> None:
    async def received() -> tuple[dict[str, Any], dict[str, Any]]:
        async with streaming(system.url, user.token) as response:
            created: dict[str, Any] = {}
            async for line in response.aiter_lines():
                if line.startswith("event: connected"):
                    created = await asyncio.to_thread(
                        notify,
                        user_id=user.id,
                        title="Test Notification",
                        message="Test message",
                        type="info",
                    )
                elif line.startswith("data:"):
                    data = json.loads(line[5:])
                    if data.get("id") == created.get("id", ""):
                        return created, data
        raise AssertionError("the stream ended")

    created, event = asyncio.run(received())

    assert event["title"] == "Test Notification"
    assert event["type"] == "info"
    assert event == created | {"type": "info"}


def test_sse_should_only_send_user_specific_notifications(
    system: System, user: User, other: User, notify: Notify
) -> None:
    async def titles() -> list[str]:
        events: list[str] = []
        async with streaming(system.url, user.token) as response:
            async for line in response.aiter_lines():
                if line.startswith("event: connected"):
                    await asyncio.to_thread(notify, other.id, "User2 Notification", "Message", "info")
                    await asyncio.to_thread(notify, user.id, "User1 Notification", "Message", "info")
                elif line.startswith("data:") and "Notification" in line:
                    events.append(json.loads(line[5:])["title"])
                    break
        return events

    assert asyncio.run(titles()) == ["User1 Notification"]


def test_sse_should_handle_client_disconnect(lively: str, user: User) -> None:
    def get_active_connection_count() -> float:
        page = httpx.get(f"{lively}/metrics", timeout=60).text
        (line,) = [line for line in page.split("\n") if line.startswith("taskroom_streams ")]
        return float(line.split()[1])

    async def counted_while_open() -> float:
        async with streaming(lively, user.token) as response:
            async for line in response.aiter_lines():
                if line.startswith("event: connected"):
                    return await asyncio.to_thread(get_active_connection_count)
        raise AssertionError("the stream ended")

    wait_for("the end of the others' streams", lambda: get_active_connection_count() == 0, 60)

    active_connections = asyncio.run(counted_while_open())

    assert active_connections == 1
    wait_for("the clean-up", lambda: get_active_connection_count() == 0, 60)
