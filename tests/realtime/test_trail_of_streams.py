"""Each refusal of an SSE stream leaves one line, also where the answer hides the refusal from an EventSource."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from app.auth import tokens
from app.auth.revocations import Revocations
from app.http.attempts import ConnectionAttempts
from app.realtime.connection_limits import ConnectionLimits
from app.stream.hub import Hub
from tests.api.fakes import FakePostgres
from tests.api.small import small_app
from tests.support.trail import Trail, access_trail

ADDRESS = "2001:db8::7"
USER, SESSION = (str(uuid.UUID(int=n)) for n in (1, 2))


@pytest.fixture
def trail() -> Iterator[Trail]:
    with access_trail() as trail:
        yield trail


def opened(parts: dict[type, Any], accept: str) -> tuple[int, str]:
    """Opens the stream of an account; returns the status and the token."""
    viewer = SimpleNamespace(room=SimpleNamespace(closed=False), cursor=0, resync=None, close=lambda: None)
    hub = SimpleNamespace(watch=lambda *_: viewer)
    app = small_app(FakePostgres(), parts={Hub: hub, ConnectionLimits: ConnectionLimits(9, 9), **parts})
    with app.app_context():
        token = tokens.new_access(USER, "ann@example.org", "operator", None, SESSION)
    headers = {"Authorization": f"Bearer {token}", "Accept": accept}
    answer = app.test_client().get(
        "/api/v2/events/stream", headers=headers, environ_base={"REMOTE_ADDR": ADDRESS}
    )
    return answer.status_code, token


@pytest.mark.parametrize(
    ("tries", "in_all", "user", "outcome", "status"),
    [(0, 9, "-", "too_many", 429), (1, 9, USER, "too_many", 429), (9, 0, USER, "full", 503)],
)
@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
def test_a_stream_that_is_turned_away_is_a_line_also_where_an_event_source_gets_200(
    trail: Trail, tries: int, in_all: int, user: str, outcome: str, status: int, accept: str
) -> None:
    attempts = ConnectionAttempts(tries, lambda key: 0.0)
    if tries == 1:  # the only one that the user has
        with attempts.trying(ADDRESS) as set_user:
            set_user(USER)

    answered, token = opened(
        {ConnectionAttempts: attempts, ConnectionLimits: ConnectionLimits(None, in_all)}, accept
    )

    assert answered == (200 if accept == "text/event-stream" else status)
    line = f"GET /api/v2/events/stream user={user} address={ADDRESS} outcome={outcome}"
    assert [one.message for one in trail.lines()] == [line]
    assert token not in trail.text


def test_a_stream_whose_session_ended_since_it_was_checked_is_a_line(trail: Trail) -> None:
    answered, _ = opened({Revocations: {SESSION}}, "text/event-stream")

    line = f"GET /api/v2/events/stream user={USER} address={ADDRESS} outcome=unauthorized"
    assert (answered, [one.message for one in trail.lines()]) == (401, [line])
