"""The addresses of older clients as their documents print them. Everything here is written out: a test that took its
expectations from the product's own table would go along with whatever that table says."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from app.realtime.dialects import DIALECTS, Dialect, DialectCodec
from tests.realtime.test_event_stream import parse

BY_NAME = {dialect.name: dialect for dialect in DIALECTS}
ADDRESSES = {
    "job_progress": "/api/v1/ai/jobs/<uuid:task_id>/stream/",
    "notices": "/api/v1/notifications/stream/",
    "artifact_events": "/ai/artifact/events/stream",
    "notifications_by_severity": "/api/notifications/stream",
    "events_in_words": "/api/v1/events/stream",
}
# The type of a greeting, and its fields; who knows no greeting gets none.
GREETINGS: dict[str, tuple[str, set[str]] | None] = {
    "job_progress": None,
    "notices": None,
    "artifact_events": ("message", {"type", "user_id"}),
    "notifications_by_severity": ("connected", {"user_id", "timestamp"}),
    "events_in_words": ("connected", {"user_id", "timestamp"}),
}
# What says that a quiet stream lives: a comment, or a message of this type with these fields.
SIGNS: dict[str, tuple[str, set[str]] | None] = {
    "job_progress": None,
    "notices": None,
    "artifact_events": None,
    "notifications_by_severity": ("heartbeat", {"type", "timestamp", "connections"}),
    "events_in_words": ("ping", {"timestamp"}),
}
LOOKED_AT: dict[str, set[str] | None] = {
    "job_progress": {"task_status", "phase_update"},
    "notices": {"notification"},
    "artifact_events": {
        *("artifact.started", "artifact.progress", "artifact.completed"),
        *("artifact.failed", "artifact.cancelled"),
    },
    "notifications_by_severity": {"notification"},
    "events_in_words": None,  # all
}
VIEWER: Any = SimpleNamespace(cursor=5)
SOMEBODY: Any = SimpleNamespace(user_id="u")
each = pytest.mark.parametrize("name", ADDRESSES)


def codec(name: str) -> DialectCodec:
    return DialectCodec(BY_NAME[name], chunked=False)


def test_the_addresses_are_those_that_are_printed() -> None:
    assert {dialect.name: dialect.path for dialect in DIALECTS} == ADDRESSES
    assert len(DIALECTS) == len(BY_NAME) == 5


def test_frames_have_a_name_where_they_are_printed_with_one() -> None:
    named = {dialect.name for dialect in DIALECTS if dialect.named}
    assert named == {"notifications_by_severity", "events_in_words"}


def test_each_tells_of_the_events_that_it_is_there_for() -> None:
    assert {d.name: None if d.types is None else set(d.types) for d in DIALECTS} == LOOKED_AT


def test_the_switch_is_for_notifications_alone() -> None:
    switched = {dialect.name for dialect in DIALECTS if dialect.switched}
    assert switched == {"notices", "notifications_by_severity"}


@each
def test_it_greets_as_it_is_printed(name: str) -> None:
    (said, _), expected = parse(codec(name).hello(VIEWER, SOMEBODY)), GREETINGS[name]

    if expected is None:
        assert said == []
        return
    (greeting,) = said
    fields = json.loads(greeting.data)
    assert (greeting.type, set(fields), greeting.id) == (*expected, "5")
    assert fields["user_id"] == "u" and fields.get("type", "connected") == "connected"


@each
def test_it_says_that_it_lives_as_it_is_printed(name: str) -> None:
    said, expected = codec(name).quiet(VIEWER, 6, 3), SIGNS[name]

    if expected is None:
        assert said == b"id: 6\n: keepalive\n\n"
        return
    ((sign,), _) = parse(said)
    fields = json.loads(sign.data)
    assert (sign.type, set(fields), sign.id) == (*expected, "6")
    assert fields.get("type", sign.type) == sign.type and fields.get("connections", 3) == 3


def test_who_counts_connections_is_told_them() -> None:
    def counts(dialect: Dialect) -> bool:
        return DialectCodec(dialect, chunked=True).counts_connections

    assert [dialect.name for dialect in DIALECTS if counts(dialect)] == ["notifications_by_severity"]
