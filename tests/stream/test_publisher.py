"""Publishing costs little and tells little, whatever Redis does."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from app.stream import publisher as publishers
from app.stream.publisher import Publisher
from app.stream.store import Appended
from tests.stream.helpers import batch, in_threads, pid_of
from tests.support.embedded import EmbeddedRedis
from tests.support.processes import suspended


def test_publishing_to_nobody_and_nothing_is_no_error(server: EmbeddedRedis):
    Publisher(server.url).publish(Appended())
    Publisher("redis://127.0.0.1:1/0").publish(batch("task:a", 1, 1))


def test_a_stopped_redis_is_tried_once_a_second_and_waited_for_no_longer_than_said(
    server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
):
    now, tries = 1000.0, list[float]()
    monkeypatch.setattr(publishers, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(publishers, "PUBLISH_TIMEOUT", 0.05)
    publisher, pid = Publisher(server.url), pid_of(server)
    pipeline = publisher._redis.pipeline

    def tried(**more: Any) -> Any:
        tries.append(now)
        return pipeline(**more)

    def for_a_while() -> None:
        nonlocal now
        for _ in range(17):
            publisher.publish(batch("task:a", 1, 1))
            now += 0.125

    monkeypatch.setattr(publisher._redis, "pipeline", tried)
    with suspended(pid):
        in_threads([for_a_while])  # who waits for Redis to answer hangs

    assert tries == [1000.0, 1001.0, 1002.0]
    assert publisher.lost == publisher.messages == 17


def test_failing_to_publish_is_told_once_and_so_is_its_end(
    server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(publishers, "PUBLISH_PAUSE", 0.0)
    publisher, works = Publisher("redis://127.0.0.1:1/0"), Publisher(server.url)._redis
    with caplog.at_level(logging.INFO, "taskroom.broker"):
        for _ in range(3):
            publisher.publish(batch("task:a", 1, 1))
        publisher._redis = works
        for _ in range(3):
            publisher.publish(batch("task:a", 1, 1))

    first, second = caplog.messages
    assert first.startswith("publishing fails") and second == "publishing works again"
