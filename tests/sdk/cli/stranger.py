"""A Celery project that knows nothing of Taskroom."""

from __future__ import annotations

import os
import time
from pathlib import Path

from celery import Celery

app = Celery("stranger", broker=os.environ.get("STRANGER_BROKER"), set_as_current=False)
app.conf.update(task_send_sent_event=True, broker_connection_retry_on_startup=True)


@app.task
def add(x: int, y: int) -> int:
    return x + y


@app.task
def parent() -> str:
    return str(add.delay(1, 2).id)


@app.task
def fail(path: str) -> None:
    raise ValueError("no disk")


@app.task(bind=True, max_retries=1)
def again(self) -> str:  # type: ignore[no-untyped-def]
    if not self.request.retries:
        raise self.retry(exc=OSError("not yet"), countdown=0)
    return "at last"


@app.task
def slow() -> None:
    time.sleep(1_000)


@app.task
def gated(gate: str) -> str:
    Path(f"{gate}.begun").touch()
    while not Path(gate).exists():
        time.sleep(0.01)
    return "through"
