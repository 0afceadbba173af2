"""A server that is away: what the tests of it do and look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.sdk.transport import server as faults
from tests.sdk.transport.helpers import Reporter, numbered
from tests.sdk.transport.server import Server

SMALL: dict[str, Any] = {"memory_events": 20, "batch_events": 5}


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


def away(server: Server, reporter: Reporter) -> None:
    """The server has answered 503, and does so from now on."""
    server.script.extend([faults.status(503)] * 1_000)
    reporter.client.worker({"name": "w"})
    reporter.after(1)
    assert reporter.client._availability.failures


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "taskroom"]


def report(reporter: Reporter, count: int, first: int = 0) -> None:
    """So many lines, as fast as the thread takes them."""
    for message in numbered(count, first):
        reporter.log("t", message)
        reporter.turns()
