"""A project whose tasks last for seconds and say what they do."""

import logging
import os
import time

from celery import Celery

import taskroom

app = Celery("lasting", broker=os.environ["BROKER"], backend=os.environ["BROKER"])
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
