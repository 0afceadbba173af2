"""Replay on connect, by each of the two ways in which a client may say where it stands, and by neither."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.support.frames import Frames, events_in
from tests.support.system import System, User

ADDRESSES = ("/api/v2/events/stream", "/api/v1/events/stream")
EVENTS = 7  # of a task that succeeds: six of its life, and a notification
SEEN = 3
each = pytest.mark.parametrize("address", ADDRESSES)


@pytest.fixture(scope="module")
def past(system: System) -> Iterator[User]:
    """Somebody whose stream has seven events."""
    user = system.user()
    user.finished(user.start("test_echo", text="before"))
    yield user
    user.client.close()


def replayed(frames: Frames, count: int) -> list[int]:
    """The places in the user's stream of what is told of it, once there is so much.

    What everybody was told of late comes too, for other tests announce; ids then have a second part, behind a dot.
    """

    def own() -> list[int]:
        received = [(message.id, json.loads(message.data)) for message in frames.messages]
        return [
            int(id.partition(".")[0])
            for id, data in received
            if "sequence" in data and str(data.get("stream")).startswith("user:")
        ]

    frames.wait(f"{count} events", lambda _: len(own()) >= count)
    return own()


@each
def test_by_the_header_alone(system: System, past: User, address: str) -> None:
    with Frames(system.url, past, address, Last_Event_ID=str(SEEN)) as frames:
        assert replayed(frames, EVENTS - SEEN) == list(range(SEEN + 1, EVENTS + 1))


@each
def test_by_the_query_alone(system: System, past: User, address: str) -> None:
    with Frames(system.url, past, f"{address}?since_sequence={SEEN}") as frames:
        assert replayed(frames, EVENTS - SEEN) == list(range(SEEN + 1, EVENTS + 1))


@each
def test_of_both_the_header_counts(system: System, past: User, address: str) -> None:
    with Frames(system.url, past, f"{address}?since_sequence=0", Last_Event_ID=str(SEEN)) as frames:
        assert replayed(frames, EVENTS - SEEN) == list(range(SEEN + 1, EVENTS + 1))


@each
def test_from_the_first_event_on(system: System, past: User, address: str) -> None:
    with Frames(system.url, past, f"{address}?since_sequence=0") as frames:
        assert replayed(frames, EVENTS) == list(range(1, EVENTS + 1))


@each
@pytest.mark.parametrize("query", ["", "?since_sequence=latest"])
def test_by_neither_it_is_live_alone(system: System, user: User, address: str, query: str) -> None:
    user.finished(user.start("test_echo", text="before"))

    with Frames(system.url, user, address + query) as frames:
        frames.wait("its place", lambda f: f.last_id == str(EVENTS))
        assert events_in(frames.messages) == [], "nothing of before"
        user.start("test_echo", text="after")
        assert replayed(frames, EVENTS) == list(range(EVENTS + 1, 2 * EVENTS + 1))
