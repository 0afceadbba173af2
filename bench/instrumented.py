"""A Celery application of somebody else whose tasks do nothing, instrumented where TASKROOM_URL is set."""

from __future__ import annotations

import os
import statistics
import time

from celery import Celery

import taskroom

BATCH = 100  # calls between two looks at the clock

app = Celery("noop", broker=os.environ["BROKER"], backend=os.environ["BROKER"])
app.conf.update(
    task_ignore_result=True,
    task_default_queue=os.environ["QUEUE"],
    broker_connection_retry_on_startup=True,
)
if "TASKROOM_URL" in os.environ:
    taskroom.instrument(app)


@app.task(name="noop.nothing")
def nothing() -> None:
    pass


@app.task(name="noop.lines", ignore_result=False)
def lines(batches: int) -> float:
    """Returns the median time of one log() in microseconds."""
    times = []
    for _ in range(batches):
        began = time.perf_counter()
        for n in range(BATCH):
            taskroom.log(f"message {n} was accepted by the server after 0.132 s")
        times.append((time.perf_counter() - began) / BATCH)
        time.sleep(0.01)  # about ten thousand a second
    return 1e6 * statistics.median(times)
