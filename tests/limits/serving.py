"""Limits of a web process: requests, sign-in, the database, streams, Socket.IO."""

from __future__ import annotations

import inspect

from engineio.base_server import BaseServer

from app import cli, web_metrics
from app.api import auth, external, idempotency, reported_batch, starting
from app.api.auth import Login
from app.auth import issuers, jwks, owners, principal, revocations, sessions, tokens
from app.db import pool
from app.green import READY_AT_ONCE, arrivals, listener, turn, unsent
from app.http import attempts, base, compressed, concurrency, problems, rate_limits, requests
from app.observability import loop_watchdog
from app.realtime import joins, presence, sse, sse_registry, sse_rooms, sse_user, strangers
from app.realtime.socketio import (
    acknowledgements,
    connection,
    engineio_adapter,
    limits,
    polling,
    reader,
    rooms,
    server,
)
from app.stream import (
    catchup,
    channels,
    delivery,
    encoded_batch,
    faults,
    history,
    hub,
    pages,
    present,
    publisher,
    room,
    shared_read,
    subscription,
    tailcheck,
)
from app.tasks import projection
from app.tasks.observed import batch as observed_batch
from app.tasks.observed import task
from tests.limits.product import (
    DEFAULT,
    Row,
    found,
    most,
    of_body,
    of_eventlet,
    of_outlet,
    of_server,
    repeats,
    source,
)

ROWS: list[Row] = [
    ("open files of a web process", "1,048,576", lambda: listener.OPEN_FILES),
    ("connections that a web process serves", "20,000; 4,096",
     lambda: (of_server("MAX_CONNECTIONS"), of_server("BACKLOG"))),
    ("connections of an address", "512", lambda: arrivals.PER_ADDRESS),
    ("until the first request", "20 s; 60 s; 60 s",
     lambda: (of_server("HEAD_SECONDS"), of_server("SOCKET_SECONDS"), of_body("BODY_SECONDS"))),
    ("the line of a request", "8 KiB; 8 KiB; 64 KiB", lambda: (
        of_eventlet("MAX_REQUEST_LINE"), of_eventlet("MAX_HEADER_LINE"), of_eventlet("MAX_TOTAL_HEADER_SIZE"))),
    ("a body under `/api/v2/auth/`", "4 KiB; 2 MiB; 256 KiB",
     lambda: (auth.BODY_LIMIT, DEFAULT.body_limit, base.BODY_LIMIT)),
    ("chunks of a body", "10,000; 4 MiB", lambda: (of_body("CHUNKS"), of_body("DISCARDED_BYTES"))),
    ("lists and objects within one another", "64; 200,000", lambda: (base.MAX_DEPTH, base.MAX_CONTAINERS)),
    ("unknown fields of an object", "50", lambda: base.UNKNOWN_FIELDS),
    ("messages of a refused body", "100; 16,000; 200; 1,000", lambda: (
        problems.MOST_ERRORS, problems.ERRORS_SIZE, problems.LONGEST_NAME, problems.LONGEST_ERROR)),
    ("a connection whose peer acknowledges nothing ends after", "28 s; 16 s", lambda: (
        max(listener.LEAST_SILENCE, DEFAULT.stalled_seconds - 2), listener.QUIET_SECONDS)),
    ("the kernel's buffer", "256 KiB", lambda: listener.SEND_BUFFER),
    ("of these that wait; beyond them 429", "1,000", lambda: concurrency.MOST_WAITING),
    ("worker's events that a web process reads", "64; 8",
     lambda: (concurrency.REPORTS_READ, concurrency.REPORTS_STORED)),
    ("bytes that a client must read of its answers each second, for each connection", "8 KiB; 60 s",
     lambda: (of_outlet("SLOWEST"), of_outlet("LATE_SECONDS"))),
    ("unread bytes of answers to a user", "16 MiB; 256 MiB", lambda: (unsent.OF_ONE, unsent.IN_ALL)),
    ("how long an iteration of the event loop", "20 ms; 8, and 16 in each",
     lambda: (turn.BEGIN_SECONDS, turn.TURNS, turn.LATE_IN_A_TURN)),
    ("ready sockets", "64; 32", lambda: (READY_AT_ONCE, of_server("ACCEPTED_AT_ONCE"))),
    ("before other greenlets run: chunks of a body", "64; 5,000; 50; 32,768; 8; 5 ms", lambda: (
        of_body("CHUNKS_IN_A_TURN"), base.VALUES_IN_A_TURN, external.CHECKED_AT_ONCE, reader.TURN,
        shared_read.WAITING_AT_ONCE, subscription.TURN_SECONDS)),
    ("addresses whose network", "4,096", lambda: found(source(arrivals), r"lru_cache\((\d+)\)")),
    ("an `Idempotency-Key`", "200 characters; 24 h", lambda: (
        repeats(idempotency.KeyHeaders().fields["key"].validators[0].regex.pattern),
        idempotency.KEPT.total_seconds())),
    ("an `X-Request-ID`", "64 characters", lambda: 1 + repeats(requests.VALID_ID.pattern)),
    ("names of code that blocked the loop", "50; 5 s", lambda: (loop_watchdog.NAMES, web_metrics.BACKLOG_SECONDS)),
    ("sign-ins a minute for one account", "30; 300", lambda: found(
        source(auth), r'(?s)"(\d+) per minute", key_func=_login_key\).*?"(\d+) per minute"\)\n# Failures')),
    ("the same with a wrong password", "10; 60", lambda: found(
        source(auth), r'(?s)"(\d+) per minute", key_func=_login_key, deduct_when.*?"(\d+) per minute", deduct_when')),
    ("name of an account; its password", "254; 1,024; 128; 255 characters", lambda: (
        min(most(Login, "email"), cli.MAX_NAME_LENGTH), most(Login, "password"), principal.LONGEST_TENANT,
        found(source(issuers), r"len\(value\) > (\d+)"))),
    ("how long a session lasts", "30 days; 30 s; 20 s", lambda: (
        DEFAULT.refresh_token_seconds, DEFAULT.ticket_seconds, sessions.GRACE_SECONDS)),
    ("how often sign-outs are read", "1 s; 4 s; 1 h",
     lambda: (revocations.READ_SECONDS, revocations.STALE_SECONDS, issuers.REMEMBERED_SECONDS)),
    ("cached tokens, owners of tasks", "20,000; 20,000; 20,000; 30 s", lambda: (
        tokens.KEPT_TOKENS, owners.KEPT_TASKS, rate_limits.KEPT_REFUSALS, owners.KEPT_SECONDS)),
    ("keys of another issuer", "3 s; 10 min; 60 min; 10 s; 10 s", lambda: (
        jwks.FETCH_SECONDS, jwks.FRESH_SECONDS, jwks.STALE_SECONDS, jwks.REFETCH_SECONDS,
        issuers.SKEW_SECONDS)),
    ("what an address may do in a minute", "10", lambda: attempts.ADDRESS_FACTOR),
    ("wait for Redis, which counts attempts", "1 s; 1 s", lambda: (
        rate_limits.REDIS_SECONDS, rate_limits.PAUSE_SECONDS)),
    ("until a connection stands", "3 s; 2 s; 4 s; 5 s; 2 s", lambda: (
        pool.connect_args()["connect_timeout"], pool.POOL_SECONDS,
        found(pool.POOLED_STATEMENT, r"^(\d+)s$"), pool.ANSWER_SECONDS, pool.TRIAL_SECONDS)),
    ("a statement of a worker", "10 s; 5 s; 3 s", lambda: tuple(
        found(pool.SERVER_LIMITS[name], r"^(\d+)s$")
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"))),
    ("of these one in so many may be refused", "5", lambda: attempts.FAILURE_DIVISOR),
    ("addresses, and users, whose attempts", "50,000", lambda: attempts.SEPARATE_KEYS),
    ("joins at a time", "16", lambda: joins.AT_ONCE),
    ("how often a comment comes", "3 s", lambda: sse_registry.COMMENT_SECONDS),
    ("rooms of one SSE stream", "16; 32", lambda: (sse_rooms.MAX_ROOMS, found(source(sse), r"len\(names\) > (\d+)"))),
    ("the events of `broadcast`", "15 min; 100", lambda: (sse_user.LOOK_BACK_SECONDS, sse_user.LOOK_BACK_EVENTS)),
    ("events that viewers who are behind read", "500; 1 MB; 8",
     lambda: (history.PAGE_EVENTS, pages.PAGE_BYTES, history.READERS)),
    ("of these events, cached for other viewers", "16 MB; 30 s", lambda: (history.KEPT_BYTES, history.KEPT_SECONDS)),
    ("the present states that viewers are sent first: bytes of those cached for other viewers", "8 MB; 30 s; 4",
     lambda: (present.KEPT_BYTES, history.KEPT_SECONDS, present.READERS)),
    ("characters of events joined", "64,000; 16,000; 8",
     lambda: (encoded_batch.BATCH_CHARS, encoded_batch.FRAME_CHARS, catchup.BATCHES_IN_A_ROW)),
    ("buffers kept for several viewers", "64; 8 MB; 1 s",
     lambda: (encoded_batch.KEPT_BATCHES, encoded_batch.KEPT_BYTES, tailcheck.SWEEP_SECONDS)),
    ("recent events of a room", "512; 256 kB; 4 MB; 1 MB",
     lambda: (room.RING_EVENTS, room.RING_BYTES, room.UNSENT_BYTES, room.EARLY_BYTES)),
    ("recent events of all rooms", "64 MB", lambda: hub.RINGS_BYTES),
    ("how long a room without viewers stays", "30 s", lambda: hub.LINGER_SECONDS),
    ("the delay of an event whose message Redis lost", "2 s; 0.5 s; 0.1 s",
     lambda: (tailcheck.TAIL_SECONDS, tailcheck.AWAY_SECONDS, tailcheck.POLL_SECONDS)),
    ("pause of a busy room", "25 ms; 20", lambda: (delivery.TICK_SECONDS, delivery.ROOMS_AT_ONCE)),
    ("wait for Redis after a commit", "0.2 s; 1 s", lambda: (publisher.PUBLISH_TIMEOUT, publisher.PUBLISH_PAUSE)),
    ("silence of Redis", "0.75 s; 1 s; 2 s",
     lambda: (subscription.FRESH_SECONDS, subscription.PING_LIMIT, subscription.STALE_SECONDS)),
    ("rooms compared with Postgres", "2,000; 500", lambda: (tailcheck.ROOMS_AT_ONCE, channels.CHANNELS_AT_ONCE)),
    ("how often web processes tell each other", "1 s; 10 s", lambda: (presence.WRITE_SECONDS, presence.KEPT_SECONDS)),
    ("kinds of faults that are known", "1,000; 60 s", lambda: (faults.KEPT, faults.QUIET_SECONDS)),
    ("until a ping is answered", "20 s; 5 s; 1 s", lambda: (
        inspect.signature(BaseServer.__init__).parameters["ping_timeout"].default, polling.LOOK_SECONDS,
        reader.CLOSE_SECONDS)),
    ("until a client has signed in", "20 s; 16,384", lambda: (strangers.SIGN_IN_SECONDS, reader.UNAUTHENTICATED_BYTES)),
    ("sockets of an address that have not", "2,000; 10,000", lambda: (strangers.PER_ADDRESS, strangers.IN_TOTAL)),
    ("bytes of one message", "100,000; 4", lambda: (reader.MESSAGE_LIMIT, limits.ATTACHMENTS)),
    ("frames of one WebSocket message", "64", lambda: reader.PIECES),
    ("WebSocket frames of any kind", "400 at once, then 100 a second",
     lambda: (reader.FRAMES, reader.FRAMES_PER_SECOND)),
    ("WebSocket bytes", "1,000,000 at once, then 256,000 a second", lambda: (reader.BYTES, reader.BYTES_PER_SECOND)),
    ("packets; how far a polling client", "200 at once, then 50 a second; 10 s",
     lambda: (limits.BURST, limits.PER_SECOND, limits.DEBT_SECONDS)),
    ("packets of one post", "128; 16", lambda: (polling.POST_PACKETS, engineio_adapter.ANSWER_PACKETS)),
    ("rooms of a socket", "64; 128", lambda: (rooms.MAX_JOINED, acknowledgements.MAX_ASKING)),
    ("types of events that a join names", "32; 8,192",
     lambda: (rooms.MAX_TYPES, most(server.RefreshToken, "token"))),
    ("packets that wait for a client", "1,000; 1,000,000", lambda: (limits.UNREAD, limits.UNREAD_SIZE)),
    ("packets handed to the library", "256; 12", lambda: (connection.QUEUED_PACKETS, connection.POLLING_PACKETS)),
    ("parameters of a task as JSON", "64 KiB", lambda: starting.PARAMS_LIMIT),
    ("before other greenlets run: tasks decoded", "10; 500; 10; 100; 200; 4; 64 KiB", lambda: (
        reported_batch.TASKS_IN_A_TURN, reported_batch.EVENTS_IN_A_TURN, observed_batch.PARTS_IN_A_TURN,
        task.EVENTS_IN_A_TURN, projection.AT_ONCE,
        compressed.PIECES_IN_A_TURN, compressed.PIECE_BYTES)),
]  # fmt: skip
