"""The message broker as a client sees it: ``client`` sends hints to workers over ``connections`` that are kept.

Here is what its callers need to know of it without loading Celery.
"""

SEND_SECONDS = 2.0  # a caller waits no longer for the broker
# A queue gets no more messages than this: each of them claims whichever task waits, so more would change nothing.
MAX_QUEUED = 2_000


class BrokerDown(Exception):
    """The broker did not take the message in time."""
