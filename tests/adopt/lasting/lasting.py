"""A project whose tasks last for seconds and say what they do."""

import logging
import os
import signal
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


@app.task
def add(x, y):
    return x + y


@app.task
def dies():
    os.kill(os.getpid(), signal.SIGKILL)


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


@app.task(bind=True)
def steps(self, folder):
    """Says where it is, and waits for a file."""
    self.update_state(state="DOWNLOADING", meta={"percent": 10, "message": "fetching 3 GB"})
    _wait_for(Path(folder) / "crunch")
    self.update_state(state="CRUNCHING", meta={"percent": 50, "message": "the first half"})
    self.update_state(state="CRUNCHING", meta={"percent": 60, "message": "the second half"})
    _wait_for(Path(folder) / "end")


@app.task
def forks():
    child = os.fork()
    if child == 0:
        print("in the child", flush=True)
        taskroom.log("also in the child")
        os._exit(0)
    os.waitpid(child, 0)
    print("in the parent")


def _wait_for(path):
    while not path.exists():
        time.sleep(0.02)
