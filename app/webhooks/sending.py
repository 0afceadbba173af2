"""Sends due deliveries, several at a time: a slow receiver must not delay the others. Only one worker at a time does
so: slow receivers must not occupy the workers that tasks need."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import orjson

from app.errors import causes
from app.errors.survived import survived
from app.outgoing.http_client import NoResponse, post
from app.outgoing.url_policy import AddressRefused, UrlPolicy
from app.stream.event import now
from app.stream.store import Connect
from app.stream.transaction import Begin
from app.webhooks.delivery_queue import Claimed, Policy, Tried, claim, record
from app.webhooks.signing import SecretUnreadable, decrypt, signed

logger = logging.getLogger("taskroom.webhooks")

CONCURRENCY = 16
RUN_SECONDS = 20.0  # then the worker is free for tasks; another hint follows for what is still due
POLL_SECONDS = 0.5
LOCK_KEY = 7_465_736_103  # of the advisory lock; no other code locks this number
HOLDER_SESSION = "20s"  # the lock's holder sends a statement more often
RECORD_RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)  # of one run; their sum is less than a lease


def deliver(
    connect: Connect,
    begin: Begin,
    send: Callable[[Claimed], Tried],
    policy: Policy,
    seconds: float = RUN_SECONDS,
) -> int:
    """Sends due deliveries until none is left or ``seconds`` are over. Returns the number of tries: 0 while another
    worker sends. Raises DatabaseUnavailable, or what else failed, after the requests in flight have ended.

    ``connect`` must always give the same connection: its session holds the lock.
    """
    tries, until = 0, time.monotonic() + seconds
    failure: Exception | None = None
    in_flight: dict[Future[Tried], Claimed] = {}
    delays = iter(RECORD_RETRY_SECONDS)

    def finish(timeout: float | None) -> None:
        for done in wait(in_flight, timeout, FIRST_COMPLETED).done:
            _finish(begin, in_flight.pop(done), done, policy, delays)

    with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="taskroom-webhook") as pool:
        try:
            with _exclusive(connect) as exclusive:
                while exclusive and time.monotonic() < until:
                    with connect() as conn, conn.cursor() as cur:
                        claimed = claim(cur, CONCURRENCY - len(in_flight))
                    in_flight |= {pool.submit(send, delivery): delivery for delivery in claimed}
                    tries += len(claimed)
                    if not in_flight:
                        break
                    finish(POLL_SECONDS)  # during a slow request other deliveries become due
                while in_flight:  # under the lock, so that CONCURRENCY holds for all workers together
                    finish(None)
        except Exception as error:
            failure = error  # requests in flight most likely arrive: unrecorded, they would be repeated
        while in_flight:
            finish(None)
    if failure:
        raise failure
    return tries


@contextmanager
def _exclusive(connect: Connect) -> Iterator[bool]:
    """Yields whether this session holds the lock, until the block ends. A killed or stopped holder loses the lock."""
    with connect() as conn, conn.cursor() as cur:
        cur.execute(
            """SELECT CASE WHEN pg_try_advisory_lock(%s)
                   THEN set_config('idle_session_timeout', %s, false) END IS NOT NULL""",
            (LOCK_KEY, HOLDER_SESSION),
        )
        (exclusive,) = cur.fetchall()[0]
    try:
        yield exclusive
    finally:
        if exclusive:
            with connect() as conn, conn.cursor() as cur:
                cur.execute("SELECT pg_advisory_unlock(%s); RESET idle_session_timeout", (LOCK_KEY,))


def _finish(
    begin: Begin, claimed: Claimed, done: Future[Tried], policy: Policy, delays: Iterator[float]
) -> None:
    try:
        tried = done.result()
    except Exception as error:
        if not causes.of(error).is_temporary:
            raise
        survived(logger, error, "delivery %s is sent when its lease has ended", claimed.id)
    else:
        _record(begin, claimed, tried, policy, delays)


def _record(begin: Begin, claimed: Claimed, tried: Tried, policy: Policy, delays: Iterator[float]) -> None:
    """Stores the outcome of a try. ``delays``: the seconds to wait before each retry after a temporary error."""
    while True:
        try:
            with begin() as tx:
                record(tx, claimed, tried, policy)
            return
        except Exception as error:
            seconds = next(delays, None) if causes.of(error).is_temporary else None
            if seconds is None:  # the lease will end, and the delivery is sent again
                survived(logger, error, "delivery %s was sent, but the outcome is not stored", claimed.id)
                return
            time.sleep(seconds)


def attempt(
    claimed: Claimed,
    rules: UrlPolicy,
    secret_key: str,
    send: Callable[..., Any] = post,
    seconds: float = 10.0,
) -> Tried:
    """Sends one signed request and returns the outcome, also of a failure. Raises a temporary error of this process,
    which is no failure of the receiver."""
    at, began = now(), time.monotonic()

    def tried(**outcome: Any) -> Tried:
        return Tried(at, round((time.monotonic() - began) * 1000, 1), **outcome)

    try:
        secret = decrypt(claimed.secret, secret_key)
        body = _body(claimed)
        headers = {"Content-Type": "application/json", "User-Agent": "Taskroom-Webhooks"}
        headers |= signed(secret, claimed.id, int(time.time()), body)
        answer = send(claimed.url, headers, body, rules, seconds=seconds)
    except (AddressRefused, NoResponse, SecretUnreadable) as error:
        return tried(error=str(error))
    except Exception as error:  # without an outcome the delivery would be claimed for ever
        if causes.of(error).is_temporary:
            raise
        survived(logger, error, "delivery %s could not be sent", claimed.id)
        return tried(error=f"internal error: {type(error).__name__}")
    return tried(status_code=answer.status, response=answer.body)


def _body(claimed: Claimed) -> bytes:
    """Returns the body of the request: the same bytes at every try."""
    payload = orjson.Fragment(claimed.payload)
    timestamp = orjson.loads(claimed.payload)["timestamp"]
    return orjson.dumps({"type": claimed.event_type, "timestamp": timestamp, "data": payload})
