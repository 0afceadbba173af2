"""The client side of the message broker: ``client`` sends hints to workers over the open ``connections``.

This module has the names that callers need without loading Celery.
"""

from app.errors.causes import Cause

SEND_SECONDS = 2.0  # the longest wait of a caller for the broker
# The most messages of a queue. Each message claims any task that waits, so more messages would change nothing.
MAX_QUEUED = 2_000


class BrokerDown(Exception):
    """The broker did not take the message in time."""

    cause, of_postgres = Cause.UNAVAILABLE, False
