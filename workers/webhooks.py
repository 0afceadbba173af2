"""Sends deliveries: several at a time, for one that is slow must not keep the others."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from app import appending
from app.deliveries import Claimed, Policy, Tried, attempt, claim, settle
from app.outgoing import Rules
from app.stream.store import Connect, StoreAway
from workers.celery_app import DELIVER, celery
from workers.runtime import runtime
from workers.settings import settings

logger = logging.getLogger("taskroom.webhooks")

AT_A_TIME = 8
RUN_SECONDS = 20.0  # then the worker is free for others; what is still due is hinted at again


@celery.task(name=DELIVER)
def deliver_webhooks() -> None:
    here = settings()
    rules = Rules(here.webhook_allowed, plain_http=here.embedded)
    policy = Policy(here.webhook_retry_seconds)
    try:
        deliver(runtime().connect, lambda claimed: attempt(claimed, rules, here.secret_key), policy)
    except StoreAway as error:
        logger.warning("deliveries wait for Postgres: %s", error)


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
