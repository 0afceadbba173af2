"""A project whose tasks last for seconds and say what they do."""

import logging
import os
import time
from pathlib import Path

from celery import Celery

import taskroom

app = Celery("lasting", broker=os.environ["BROKER"], backend=os.environ["BACKEND"])
app.conf.update(
    task_default_queue=os.environ["QUEUE"],
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,  # a killed worker keeps no message that it has not begun
)
taskroom.instrument(app)
logger = logging.getLogger("lasting")


@app.task
def talk(lines, pause):
    for n in range(lines):
        logger.info("line %d", n)
        time.sleep(pause)
    return lines


@app.task(bind=True, autoretry_for=(Exception,))
def loop(self, name):
    """Goes on until somebody stops it, unless it is tried again."""
    n = 0
    while self.request.retries == 0:
        n += 1
        self.update_state(state="LOOPING", meta={"current": n, "message": name})
        time.sleep(0.05)


@app.task
def once(marker):
    """Fails the first time."""
    if not Path(marker).exists():
        Path(marker).touch()
        raise RuntimeError("the first time")
    return "the second time"
