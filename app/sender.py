"""Sends deliveries: several at a time, for one that is slow must not keep the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import orjson

from app import appending
from app.deliveries import Claimed, Policy, Tried, claim, settle
from app.outgoing import AddressRefused, Rules
from app.posting import NoAnswer, post
from app.signatures import SecretUnreadable, signed, unseal
from app.stream.event import now
from app.stream.store import Connect, StoreAway

logger = logging.getLogger("taskroom.webhooks")

AT_A_TIME = 8
RUN_SECONDS = 20.0  # then the worker is free for others; what is still due is hinted at again


def deliver(
    connect: Connect, send: Callable[[Claimed], Tried], policy: Policy, seconds: float = RUN_SECONDS
) -> int:
    """Sends what is due until nothing is, or for so long; returns how many tries it made. Raises StoreAway."""
    tries, until = 0, time.monotonic() + seconds
    flying: dict[Future[Tried], Claimed] = {}
    with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="taskroom-webhook") as pool:
        while True:
            if time.monotonic() < until:
                with connect() as conn, conn.cursor() as cur:
                    claimed = claim(cur, AT_A_TIME - len(flying))
                flying |= {pool.submit(send, delivery): delivery for delivery in claimed}
                tries += len(claimed)
            if not flying:
                return tries
            for landed in wait(flying, return_when=FIRST_COMPLETED).done:
                _settle(flying.pop(landed), landed.result(), policy)


def _settle(claimed: Claimed, tried: Tried, policy: Policy) -> None:
    try:
        appending.append(lambda cur: settle(cur, claimed, tried, policy))
    except StoreAway as error:  # its lease ends, and it is sent again
        logger.warning("delivery %s was tried, which could not be written down: %s", claimed.id, error)


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
