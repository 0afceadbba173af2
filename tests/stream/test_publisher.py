"""Publishing costs little and tells little, whatever Redis does."""

from __future__ import annotations

import logging
import os
import signal
import time

import pytest

from app.stream import broker as brokers
from app.stream.broker import Publisher
from app.stream.store import Appended
from app.up.embedded_redis import EmbeddedRedis
from tests.stream.helpers import batch, pid_of


def test_publishing_to_nobody_and_nothing_is_no_error(server: EmbeddedRedis):
    Publisher(server.url).publish(Appended())
    Publisher("redis://127.0.0.1:1/0").publish(batch("task:a", 1, 1))


def test_a_stopped_redis_slows_publishing_once_a_second(server: EmbeddedRedis):
    publisher, pid, slow = Publisher(server.url), pid_of(server), []
    publisher.publish(batch("task:a", 1, 1))
    os.kill(pid, signal.SIGSTOP)
    try:
        end = time.monotonic() + 1.5
        while (started := time.monotonic()) < end:
            publisher.publish(batch("task:a", 1, 1))
            if time.monotonic() - started > 0.1:
                slow.append(time.monotonic() - started)
    finally:
        os.kill(pid, signal.SIGCONT)

    assert 1 <= len(slow) <= 2 and max(slow) < 0.5, slow  # 0.2 s, and room for a busy machine


def test_failing_to_publish_is_told_once_and_so_is_its_end(
    server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(brokers, "PUBLISH_PAUSE", 0.0)
    publisher, works = Publisher("redis://127.0.0.1:1/0"), Publisher(server.url)._redis
    with caplog.at_level(logging.INFO, "taskroom.broker"):
        for _ in range(3):
            publisher.publish(batch("task:a", 1, 1))
        publisher._redis = works
        for _ in range(3):
            publisher.publish(batch("task:a", 1, 1))

    first, second = caplog.messages
    assert first.startswith("publishing fails") and second == "publishing works again"
