"""The figures that the pages promise. Other tests take them from the product, so that they go along when it changes;
here each stands as its page has it, so that neither changes without the other. The tables of all limits in
docs/operations.md have a test of their own, tests/limits."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import pytest

from app.api import auth, external_workers, idempotency, starting
from app.auth import api_keys, jwks, key_authenticator, key_watch, shares
from app.auth.issuers import REMEMBERED_SECONDS
from app.auth.sessions import GRACE_SECONDS
from app.bus import FINISH_SECONDS, subscriber
from app.bus.publishing import PUBLISHED_BYTES
from app.db.pool import ANSWER_SECONDS, POOLED_STATEMENT
from app.green import listener
from app.http import attempts, base, concurrency, rate_limits
from app.http.requests import VALID_ID
from app.inbox.notification import LONGEST_METADATA
from app.jobs import step_params as job_steps
from app.models.streams import EventId
from app.models.webhooks import WebhookDelivery
from app.observability import loop_watchdog
from app.outgoing import http_client
from app.realtime import (
    connection_limits,
    dialects,
    presence,
    sse_cursors,
    sse_registry,
    sse_user,
    unauthenticated,
)
from app.realtime.socketio import limits, polling, reader, rooms
from app.stream import event, pages, store, writer
from app.tasks import (
    cleanup,
    dispatch,
    lease_reaper,
    list_filter,
    plan,
    progress_estimate,
    projection,
    reports,
    retention,
    steps,
)
from app.tasks import history as earlier
from app.webhooks import delivery_queue, sending, subscriptions
from taskroom import phases
from tests.limits.product import (
    DEFAULT,
    ROOT,
    client,
    file,
    found,
    most,
    of_body,
    of_server,
    repeats,
    same,
    source,
)

PROTOCOL, AUTH, OPERATIONS, JOBS, BUS, WEBHOOKS, CLIENT, DIALECTS, METRICS, FAULTS, ETA = (
    f"docs/{name}.md"
    for name in ("protocol", "auth", "operations", "jobs", "bus", "webhooks", "client", "dialects", "metrics")
    + ("faults", "eta")
)

# The page, words of it, what the product has, and what these words say.
FIGURES: list[tuple[str, str, Callable[[], Any], Any]] = [
    (PROTOCOL, "quiet stream gets a comment line every 15 s", lambda: DEFAULT.keepalive_seconds, 15),
    (PROTOCOL, "good for one connection within 30 s", lambda: DEFAULT.ticket_seconds, 30),
    (PROTOCOL, "carries up to 16 rooms on one connection", lambda: sse_cursors.MAX_ROOMS, 16),
    (PROTOCOL, "| 500 open streams and sockets a user", lambda: DEFAULT.streams_per_user, 500),
    (PROTOCOL, "| 15,000 in a web process", lambda: DEFAULT.max_viewers, 15_000),
    (PROTOCOL, "| 16 joins at a time", lambda: connection_limits.AT_ONCE, 16),
    (PROTOCOL, "| 3,000 attempts to open one a minute a user", lambda: DEFAULT.connects_per_minute, 3_000),
    (PROTOCOL, "of them 600 refused", lambda: DEFAULT.connects_per_minute // attempts.FAILURE_DIVISOR, 600),
    (PROTOCOL, "| 120 starts and retries", lambda: DEFAULT.starts_per_minute, 120),
    (PROTOCOL, "2 GB a user and day", lambda: DEFAULT.daily_bytes, 2_000_000_000),
    (PROTOCOL, "1,200 steps a minute a user", lambda: DEFAULT.steps_per_minute, 1_200),
    (PROTOCOL, "1,000 tickets, 1,000 refreshes a minute a user", lambda: DEFAULT.tickets_per_minute, 1_000),
    (PROTOCOL, "An address may make ten times the attempts of a user", lambda: attempts.ADDRESS_FACTOR, 10),
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
     lambda: (unauthenticated.SIGN_IN_SECONDS, reader.UNAUTHENTICATED_BYTES), (20, 16_384)),
    (PROTOCOL, "what was announced in the last 15 minutes", lambda: sse_user.LOOK_BACK_SECONDS, 15 * 60),
    (PROTOCOL, "look at 5,000 tasks in one request", lambda: list_filter.SCAN_TASKS, 5_000),
    (PROTOCOL, "limited in bytes too (about a megabyte)", lambda: pages.PAGE_BYTES, 1_000_000),
    (PROTOCOL, "Five requests of a user are answered at once", lambda: DEFAULT.requests_per_user, 5),
    (PROTOCOL, "a thousand more wait in their order", lambda: concurrency.MOST_WAITING, 1_000),
    (PROTOCOL, "| 64 KiB of JSON in the parameters of a task", lambda: starting.PARAMS_LIMIT, 64 * 1024),
    (PROTOCOL, "| a body of 256 KiB; of 4 KiB under `auth/`, of 2 MiB for a worker's events",
     lambda: (base.BODY_LIMIT, auth.BODY_LIMIT, DEFAULT.body_limit), (256 * 1024, 4 * 1024, 2 * 1024**2)),
    (PROTOCOL, "| 30 sign-ins a minute for one account from one address, 300 from one address; with a wrong password "
     "10 and 60", lambda: found(source(auth), r'(?s)"(\d+) per minute".*?"(\d+) per minute".*?"(\d+) per.*?"(\d+) per'),
     (30, 300, 10, 60)),
    (PROTOCOL, "| 2 passwords checked at a time and 16 sign-ins that wait",
     lambda: (DEFAULT.passwords_at_once, DEFAULT.passwords_waiting), (2, 16)),
    (PROTOCOL, "| 128 packets in one post of long-polling", lambda: polling.POST_PACKETS, 128),
    (PROTOCOL, "an `Idempotency-Key` of up to 200 printable characters",
     lambda: repeats(idempotency.KeyHeaders().fields["key"].validators[0].regex.pattern), 200),
    (PROTOCOL, "For 24 hours the same user's same key", lambda: idempotency.KEPT.total_seconds(), 24 * 3_600),
    (AUTH, "open one connection within 30 seconds", lambda: DEFAULT.ticket_seconds, 30),
    (AUTH, "every ten minutes, and for an unknown `kid` at most every ten seconds",
     lambda: (jwks.FRESH_SECONDS, jwks.REFETCH_SECONDS), (600, 10)),
    (AUTH, "stays refused here for at least an hour", lambda: REMEMBERED_SECONDS, 3_600),
    (AUTH, "opens nothing after twenty minutes (seventy while the issuer does not answer)",
     lambda: (2 * jwks.FRESH_SECONDS, jwks.FRESH_SECONDS + jwks.STALE_SECONDS), (1_200, 4_200)),
    (AUTH, "a session of 30 days", lambda: DEFAULT.refresh_token_seconds, 30 * 24 * 3_600),
    (AUTH, "an access token of 15 minutes", lambda: DEFAULT.access_token_seconds, 15 * 60),
    (AUTH, "replaced more than 20 seconds ago", lambda: GRACE_SECONDS, 20),
    (AUTH, "refused in every web process within two seconds",
     lambda: key_authenticator.CACHED_SECONDS + key_watch.WATCH_SECONDS < 2, True),
    (PROTOCOL, "| 50 live API keys a user", lambda: api_keys.MOST, 50),
    (PROTOCOL, "| 20 live shares a run, 200 a user; from 60 s to 30 days",
     lambda: (shares.MOST_OF_TASK, shares.MOST_OF_USER, shares.SHORTEST.total_seconds(), shares.LONGEST.days),
     (20, 200, 60, 30)),
    (PROTOCOL, "| 60 wrong API keys a minute from one address", lambda: attempts.WRONG_KEYS_PER_MINUTE, 60),
    (OPERATIONS, "A statement that is too slow (4 s) fails alone", lambda: POOLED_STATEMENT, "4s"),
    (OPERATIONS, "says nothing for 5 s", lambda: ANSWER_SECONDS, 5),
    (OPERATIONS, "after half a minute, then less and less often, every ten minutes at last",
     lambda: (projection.RESEND_SECONDS, dispatch.RESEND_LIMIT_SECONDS), (30, 600)),
    (OPERATIONS, "tries again five times a second", lambda: 1 / listener.PAUSE_SECONDS, 5),
    (OPERATIONS, "A run takes 60 s of one worker at most and goes on the next time: 2,000 events a transaction",
     lambda: (retention.RUN_SECONDS, retention.BATCH_EVENTS), (60, 2_000)),
    (OPERATIONS, "up to 16 requests at once", lambda: sending.CONCURRENCY, 16),
    (OPERATIONS, "sent again after a minute", lambda: delivery_queue.LEASE_SECONDS, 60),
    (OPERATIONS, "up to 64 letters, digits", lambda: 1 + repeats(VALID_ID.pattern), 64),
    (OPERATIONS, "one that was silent for four rounds has none", lambda: lease_reaper.MISSED_LIMIT, 4),
    (OPERATIONS, "one request a second waits to find out", lambda: rate_limits.PAUSE_SECONDS, 1),
    (JOBS, "at most ten times a second", lambda: 1 / phases.REPORT_SECONDS, 10),
    (JOBS, "A task has 500 phases", lambda: reports.PHASE_LIMIT, 500),
    (JOBS, "a result 256 kB, a traceback 16,000 characters",
     lambda: (reports.RESULT_LIMIT, reports.TRACEBACK_LIMIT), (256_000, 16_000)),
    (JOBS, "other texts at 2,000", lambda: reports.TEXT_LIMIT, 2_000),
    (JOBS, "names of phases and components at 128", lambda: reports.NAME_LIMIT, 128),
    (JOBS, "three levels, a hundred steps in all", lambda: (job_steps.DEEPEST, job_steps.MOST_STEPS), (3, 100)),
    (JOBS, "At most 1,000 events and 1 MB at a time",
     lambda: (most(external_workers.BatchSchema, "events"), store.BATCH_BYTES), (1_000, 1_000_000)),
    (JOBS, "after twenty without the task is lost (four rounds",
     lambda: lease_reaper.MISSED_LIMIT * DEFAULT.lease_round_seconds, 20),
    (JOBS, "A message is cut at 16,384 characters", lambda: reports.LINE_LIMIT, 16_384),
    (JOBS, "JSON, up to 256 kB", lambda: reports.RESULT_LIMIT, 256_000),
    (ETA, "the newest 20 runs of its type that succeeded", lambda: earlier.RUNS, 20),
    (ETA, "with more than 100 phases", lambda: earlier.MAX_PHASES, 100),
    (ETA, "take at most twice the median", lambda: progress_estimate.MOST_SPREAD, 2),
    (ETA, "Weights that a job declares count until three runs are known", lambda: plan.RUNS_OVER_DECLARED, 3),
    (JOBS, "up to 95 % of its share", lambda: progress_estimate.MAX_BY_TIME, 0.95),
    (JOBS, "`metadata` a JSON object up to 8 KiB", lambda: LONGEST_METADATA, 8_192),
    (BUS, "At most 256,000 bytes of JSON", lambda: PUBLISHED_BYTES, 256_000),
    (BUS, "A **type** is up to 64 lower-case letters", lambda: 1 + repeats(event.EVENT_TYPE.pattern), 64),
    (BUS, "published on that stream within a week", lambda: cleanup.EXPIRES[EventId][1].total_seconds(), 7 * 86_400),
    (BUS, "with at most a megabyte of events in memory", lambda: subscriber.KEPT_BYTES, 1_000_000),
    (BUS, "waits up to 5 s for its handlers", lambda: FINISH_SECONDS, 5),
    (WEBHOOKS, "A user has at most 20", lambda: subscriptions.MOST, 20),
    (WEBHOOKS, "kept for a week", lambda: cleanup.EXPIRES[WebhookDelivery][1].total_seconds(), 7 * 86_400),
    (WEBHOOKS, "Answer with any 2xx within 10 seconds", lambda: http_client.SECONDS, 10),
    (WEBHOOKS, "At most two requests run at once for a webhook, and four for all webhooks of an owner",
     lambda: (delivery_queue.PER_WEBHOOK, delivery_queue.PER_OWNER), (2, 4)),
    (WEBHOOKS, "at intervals that grow to five minutes", lambda: delivery_queue.MAX_BACKOFF, 300),
    (WEBHOOKS, "After 20 failures in a row", lambda: delivery_queue.Policy(()).failures, 20),
    (CLIENT, "closes 5 s after the last", lambda: client("connection", "LINGER_MS"), 5),
    (CLIENT, "| one WebSocket, 64 rooms |",
     lambda: same(rooms.MAX_JOINED, found(file("static/src/client/socketWire.ts"), r"capacity = (\d+);")), 64),
    (CLIENT, "| one stream of 16 rooms,", lambda: client("sseWire", "STREAM_ROOMS"), 16),
    (CLIENT, "when nothing came for 40 s", lambda: client("sseWire", "SILENCE_MS"), 40),
    (CLIENT, "the client waits 1, 2, 4, 8, 16, 30, 30 … s",
     lambda: (client("backoff", "FIRST_MS"), client("backoff", "LONGEST_MS")), (1, 30)),
    (CLIENT, "| after ten tries |", lambda: client("carrier", "TRIES"), 10),
    (CLIENT, "| REST, every 10 s;", lambda: client("pollingWire", "POLL_SECONDS"), 10),
    (CLIENT, "the WebSocket is tried once a minute", lambda: client("carrier", "PROBE_MS"), 60),
    (CLIENT, "stayed open for 10 s", lambda: client("opening", "PROVED_MS"), 10),
    (CLIENT, "leaves 4,096 messages, or eight heartbeats, unread",
     lambda: (client("member", "MOST_NOTICES"), client("member", "MOST_BEATS")), (4_096, 8)),
    (DIALECTS, "come every 30 s, whether other events come or not",
     lambda: dialects.DialectCodec.keepalive_every * DEFAULT.keepalive_seconds, 30),
    (DIALECTS, "comes every 3 s too", lambda: sse_registry.COMMENT_SECONDS, 3),
    (DIALECTS, "counted for up to 10 s more", lambda: presence.KEPT_SECONDS, 10),
    (METRICS, "at 20,000 task code waits", lambda: signature(writer.Writer).parameters["limit_events"].default, 20_000),
    (METRICS, "`other` after 50 names", lambda: loop_watchdog.NAMES, 50),
    (FAULTS, "a step's result over 200 kB", lambda: steps.RESULTS_LIMIT, 200_000),
    (FAULTS, "more than 10,000 chunks end the connection", lambda: of_body("CHUNKS"), 10_000),
    (FAULTS, "| 4 MiB are thrown away", lambda: of_body("DISCARDED_BYTES"), 4 * 1024**2),
    (FAULTS, "it has 20 s (60 s for a later request of the connection, and for a body)",
     lambda: (of_server("HEAD_SECONDS"), of_server("SOCKET_SECONDS"), of_body("BODY_SECONDS")), (20, 60, 60)),
    (WEBHOOKS, "tried again after 5 s, 1, 5 and 30 minutes, 2, 5 and 10 hours",
     lambda: DEFAULT.webhook_retry_seconds, (5, 60, 300, 1_800, 7_200, 18_000, 36_000)),
]  # fmt: skip


@pytest.mark.parametrize(("page", "words", "has", "says"), FIGURES, ids=[words for _, words, _, _ in FIGURES])
def test_the_product_has_what_the_page_says(page: str, words: str, has: Callable[[], Any], says: Any) -> None:
    text = " ".join((ROOT / page).read_text().split())

    assert words in text, "the page says it in other words now, or says something else"
    assert has() == says
