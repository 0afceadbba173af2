"""The Celery task that sends the deliveries that are due to webhooks."""

from __future__ import annotations

import logging

from app.broker.client import DELIVER
from app.errors.survived import survived
from app.outgoing.url_policy import UrlPolicy
from app.webhooks.delivery_queue import Policy
from app.webhooks.sending import attempt, deliver
from workers.celery_app import celery
from workers.runtime import runtime
from workers.settings import settings

logger = logging.getLogger("taskroom.webhooks")


@celery.task(name=DELIVER)
def deliver_webhooks() -> None:
    here = settings()
    rules = UrlPolicy(here.webhook_allowed, plain_http=here.embedded)
    policy = Policy(here.webhook_retry_seconds)
    try:
        with runtime().connect.one() as connect:
            deliver(
                connect,
                runtime().transaction,
                lambda claimed: attempt(claimed, rules, here.secret_key),
                policy,
            )
    except Exception as error:
        survived(logger, error, "deliveries wait")
