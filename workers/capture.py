"""``logging`` inside a task becomes ``log`` events by itself."""

from __future__ import annotations

import logging
from functools import cache

from workers import current

# Our own loggers report how events are stored: an event of each such line would make another one. So would those of
# the libraries that we use for it.
_OURS = (
    "taskroom",
    "celery.worker",
    "celery.app",
    "celery.pool",
    "kombu",
    "amqp",
    "redis",
    "multiprocessing",
)
_NAMES = ((50, "CRITICAL"), (40, "ERROR"), (30, "WARNING"), (20, "INFO"), (0, "DEBUG"))


@cache
def _is_ours(name: str) -> bool:
    """Compares whole names: ``redis_loader`` is not ours."""
    return any(name == ours or name.startswith(f"{ours}.") for ours in _OURS)


class Capture(logging.Handler):
    """Hands each record to the run that it comes from. It never raises into the job's code, and never stops a cancelled
    task: a library that logs must not be cut in the middle of its work."""

    def emit(self, record: logging.LogRecord) -> None:
        run = current.find()
        if run is None or _is_ours(record.name):
            return
        try:
            message = self.format(record)
            level = next(name for rank, name in _NAMES if record.levelno >= rank)
            run.log(message, level, record.name, None)
        except Exception:
            self.handleError(record)  # logging's own way: a note on stderr


_handler = Capture()


def install() -> None:
    """Adds the one handler of this process to the root logger, at the start of each run: the job before may have
    configured logging anew."""
    logging.getLogger().addHandler(_handler)
