"""Sends deliveries: several at a time, for one that is slow must not keep the others. Of all workers one claims at a
time: slow receivers must not take the workers from tasks."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import orjson

from app.outgoing.http_client import NoAnswer, post
from app.outgoing.url_policy import AddressRefused, Rules
from app.stream.event import now
from app.stream.store import Connect, DatabaseUnavailable
from app.stream.transaction import Begin
from app.webhooks.queue import Claimed, Policy, Tried, claim, record
from app.webhooks.signing import SecretUnreadable, signed, unseal

logger = logging.getLogger("taskroom.webhooks")

AT_A_TIME = 16
RUN_SECONDS = 20.0  # then the worker is free for others; what is still due is hinted at again
POLL_SECONDS = 0.5
LOCK_KEY = 7_465_736_103  # any number that nobody else takes an advisory lock on
HOLDER_SESSION = "20s"  # whoever claims asks more often than that
RECORD_AGAIN_SECONDS = (0.5, 1.0, 2.0, 4.0, 8.0)  # of a run in all: less than a lease


def deliver(
    connect: Connect,
    begin: Begin,
    send: Callable[[Claimed], Tried],
    policy: Policy,
    seconds: float = RUN_SECONDS,
) -> int:
    """Sends what is due until nothing is, or for so long; returns how many tries it made, none while another is at it.
    Raises DatabaseUnavailable, when what was on its way has come back.

    ``connect`` lends one and the same connection, for its session holds the lock.
    """
    tries, until, away = 0, time.monotonic() + seconds, None
    flying: dict[Future[Tried], Claimed] = {}
    patience = iter(RECORD_AGAIN_SECONDS)

    def land(timeout: float | None) -> None:
        for landed in wait(flying, timeout, FIRST_COMPLETED).done:
            _record(begin, flying.pop(landed), landed.result(), policy, patience)

    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="taskroom-webhook") as pool:
        try:
            with _alone(connect) as alone:
                while alone and time.monotonic() < until:
                    with connect() as conn, conn.cursor() as cur:
                        claimed = claim(cur, AT_A_TIME - len(flying))
                    flying |= {pool.submit(send, delivery): delivery for delivery in claimed}
                    tries += len(claimed)
                    if not flying:
                        break
                    land(POLL_SECONDS)  # others may fall due while one is slow
                while flying:  # nobody else claims meanwhile: there are so many at a time in all
                    land(None)
        except (
            DatabaseUnavailable
        ) as error:  # what flies is delivered, most likely: unsettled it would be so again
            away = error
        while flying:
            land(None)
    if away:
        raise away
    return tries


@contextmanager
def _alone(connect: Connect) -> Iterator[bool]:
    """Whether nobody else claims, until the block ends. A holder that is killed or stopped gives the lock up."""
    with connect() as conn, conn.cursor() as cur:
        cur.execute(
            """SELECT CASE WHEN pg_try_advisory_lock(%s)
                   THEN set_config('idle_session_timeout', %s, false) END IS NOT NULL""",
            (LOCK_KEY, HOLDER_SESSION),
        )
        (alone,) = cur.fetchall()[0]
    try:
        yield alone
    finally:
        if alone:
            with connect() as conn, conn.cursor() as cur:
                cur.execute("SELECT pg_advisory_unlock(%s); RESET idle_session_timeout", (LOCK_KEY,))


def _record(begin: Begin, claimed: Claimed, tried: Tried, policy: Policy, patience: Iterator[float]) -> None:
    """``patience``: the seconds that are left to wait for Postgres, once each."""
    while True:
        try:
            with begin() as tx:
                record(tx, claimed, tried, policy)
            return
        except DatabaseUnavailable as error:
            seconds = next(patience, None)
            if seconds is None:  # its lease ends, and it is sent again
                logger.warning(
                    "delivery %s was tried, which could not be written down: %s", claimed.id, error
                )
                return
            time.sleep(seconds)


def attempt(
    claimed: Claimed, rules: Rules, secret_key: str, send: Callable[..., Any] = post, seconds: float = 10.0
) -> Tried:
    """Sends it, signed. Whatever goes wrong is in what it returns."""
    at, began = now(), time.monotonic()

    def tried(**how: Any) -> Tried:
        return Tried(at, round((time.monotonic() - began) * 1000, 1), **how)

    try:
        secret = unseal(claimed.secret, secret_key)
        body = _body(claimed)
        headers = {"Content-Type": "application/json", "User-Agent": "Taskroom-Webhooks"}
        headers |= signed(secret, claimed.id, int(time.time()), body)
        answer = send(claimed.url, headers, body, rules, seconds=seconds)
    except (AddressRefused, NoAnswer, SecretUnreadable) as error:
        return tried(error=str(error))
    except Exception as error:  # or it would be claimed for ever
        logger.exception("delivery %s could not be tried", claimed.id)
        return tried(error=f"a fault here: {type(error).__name__}")
    return tried(status_code=answer.status, response=answer.body)


def _body(claimed: Claimed) -> bytes:
    """The same bytes at every try."""
    payload = orjson.Fragment(claimed.payload)
    timestamp = orjson.loads(claimed.payload)["timestamp"]
    return orjson.dumps({"type": claimed.event_type, "timestamp": timestamp, "data": payload})
