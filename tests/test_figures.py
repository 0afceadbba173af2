"""The figures that the pages promise. Other tests take them from the product, so that they go along when it changes;
here each stands as its page has it, so that neither changes without the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.auth.sessions import GRACE_SECONDS
from app.bus.publishing import PUBLISHED_BYTES
from app.config import Config
from app.db.pool import ANSWER_SECONDS, POOLED_STATEMENT
from app.http import attempts
from app.notifications.creation import LONGEST_METADATA
from app.realtime import joins, sse_rooms
from app.realtime.socketio import limits, reader, rooms
from app.tasks import outlook, plan, reports

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = Config("", "", "")
PROTOCOL, AUTH, OPERATIONS, JOBS, BUS, WEBHOOKS = (
    f"docs/{name}.md" for name in ("protocol", "auth", "operations", "jobs", "bus", "webhooks")
)

# The page, words of it, what the product has, and what these words say.
FIGURES: list[tuple[str, str, Callable[[], Any], Any]] = [
    (PROTOCOL, "quiet stream gets a comment line every 15 s", lambda: DEFAULT.keepalive_seconds, 15),
    (PROTOCOL, "good for one connection within 30 s", lambda: DEFAULT.ticket_seconds, 30),
    (PROTOCOL, "carries up to 16 rooms on one connection", lambda: sse_rooms.MAX_ROOMS, 16),
    (PROTOCOL, "| 500 open streams and sockets a user", lambda: DEFAULT.streams_per_user, 500),
    (PROTOCOL, "| 15,000 in a web process", lambda: DEFAULT.max_viewers, 15_000),
    (PROTOCOL, "| 16 joins at a time", lambda: joins.AT_ONCE, 16),
    (PROTOCOL, "| 3,000 attempts to open one a minute a user", lambda: DEFAULT.connects_per_minute, 3_000),
    (PROTOCOL, "of them 600 refused", lambda: DEFAULT.connects_per_minute // attempts.MAY_FAIL, 600),
    (PROTOCOL, "| 120 starts and retries", lambda: DEFAULT.starts_per_minute, 120),
    (PROTOCOL, "2 GB a user and day", lambda: DEFAULT.daily_bytes, 2_000_000_000),
    (PROTOCOL, "1,200 steps a minute a user", lambda: DEFAULT.steps_per_minute, 1_200),
    (PROTOCOL, "1,000 tickets, 1,000 refreshes a minute a user", lambda: DEFAULT.tickets_per_minute, 1_000),
    (PROTOCOL, "An address may make ten times the attempts of a user", lambda: attempts.AN_ADDRESS_MAY, 10),
    (PROTOCOL, "| one socket: 64 rooms", lambda: rooms.MAX_JOINED, 64),
    (PROTOCOL, "200 packets at once", lambda: limits.BURST, 200),
    (PROTOCOL, "50 a second then", lambda: limits.PER_SECOND, 50),
    (PROTOCOL, "100,000 bytes a message", lambda: limits.MESSAGE_LIMIT, 100_000),
    (PROTOCOL, "its attachments (4)", lambda: limits.ATTACHMENTS, 4),
    (PROTOCOL, "400 frames at once and 100 a second then",
     lambda: (reader.FRAMES, reader.FRAMES_PER_SECOND), (400, 100)),
    (PROTOCOL, "1,000,000 bytes at once and 256,000 a second then",
     lambda: (reader.BYTES, reader.BYTES_PER_SECOND), (1_000_000, 256_000)),
    (PROTOCOL, "a message in 64 frames", lambda: reader.PIECES, 64),
    (PROTOCOL, "within 20 s and 16,384 bytes",
     lambda: (limits.SIGN_IN_SECONDS, reader.STRANGER_BYTES), (20, 16_384)),
    (AUTH, "a session of 30 days", lambda: DEFAULT.refresh_token_seconds, 30 * 24 * 3_600),
    (AUTH, "an access token of 15 minutes", lambda: DEFAULT.access_token_seconds, 15 * 60),
    (AUTH, "replaced more than 20 seconds ago", lambda: GRACE_SECONDS, 20),
    (OPERATIONS, "`TASKROOM_RETENTION_DAYS`, `TASKROOM_RETENTION_EVENTS` | 30, 1000000 |",
     lambda: (DEFAULT.retention_days, DEFAULT.retention_events), (30, 1_000_000)),
    (OPERATIONS, "A statement that is too slow (4 s) fails alone", lambda: POOLED_STATEMENT, "4s"),
    (OPERATIONS, "says nothing for 5 s", lambda: ANSWER_SECONDS, 5),
    (JOBS, "A message is cut at 16,384 characters", lambda: reports.LINE_LIMIT, 16_384),
    (JOBS, "JSON, up to 256 KB", lambda: reports.RESULT_LIMIT, 256_000),
    (JOBS, "the last 20 runs of that type that succeeded, of the 200 newest",
     lambda: (plan.RUNS, plan.LOOKED_AT), (20, 200)),
    (JOBS, "had more than 100 phases", lambda: plan.MOST_PHASES, 100),
    (JOBS, "up to 95 % of its share", lambda: outlook.BY_TIME, 0.95),
    (JOBS, "`metadata` a JSON object up to 8 KB", lambda: LONGEST_METADATA, 8_192),
    (BUS, "At most 256,000 bytes of JSON", lambda: PUBLISHED_BYTES, 256_000),
    (WEBHOOKS, "tried again after 5 s, 1, 5 and 30 minutes, 2, 5 and 10 hours",
     lambda: DEFAULT.webhook_retry_seconds, (5, 60, 300, 1_800, 7_200, 18_000, 36_000)),
]  # fmt: skip


@pytest.mark.parametrize(("page", "words", "has", "says"), FIGURES, ids=[words for _, words, _, _ in FIGURES])
def test_the_product_has_what_the_page_says(page: str, words: str, has: Callable[[], Any], says: Any) -> None:
    text = " ".join((ROOT / page).read_text().split())

    assert words in text, "the page says it in other words now, or says something else"
    assert has() == says
