"""A Celery application as a project has it, instrumented; what it reports goes into files of a test."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from celery import Celery, Task, shared_task
from celery.exceptions import Ignore, Reject
from celery.utils.log import get_task_logger

import taskroom
from taskroom import phases, server
from taskroom.celery import heartbeat
from tests.instrument.recorder import Recorder

FOLDER = Path(os.environ["RECORD"])
BROKER = os.environ["BROKER"]

app = Celery("shop", broker=BROKER, backend=os.environ["BACKEND"])
app.conf.update(
    task_default_queue=os.environ["QUEUE"],
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 3600, "priority_steps": [0, 3, 6, 9]},
    task_send_sent_event=False,
    worker_prefetch_multiplier=1,
    **{name[9:].lower(): eval(value) for name, value in os.environ.items() if name.startswith("CELERY_C_")},
)
server.connect = lambda url, key: Recorder(FOLDER)  # type: ignore[assignment,return-value]
phases.REPORT_SECONDS = 0.0  # however slow the machine is, each report is due
heartbeat.BEAT_SECONDS = 0.5
if os.environ.get("INSTRUMENT", "1") == "1":
    options = eval(os.environ.get("OPTIONS", "{}"))
    for _ in range(2):  # the second call does nothing
        taskroom.instrument(app, url="https://rooms.example", key="trk_of_a_test", **options)

plain = logging.getLogger("shop.plain")
logger = get_task_logger("shop.tasks")
local = threading.local()


class Timed(Task):  # type: ignore[misc]
    """A task class of the project's own, which wraps each call."""

    abstract = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        plain.info("called")
        try:
            return super().__call__(*args, **kwargs)
        except BaseException as error:
            plain.info("left by %s", type(error).__name__)
            raise

    def after_return(self, status: str, *args: Any) -> None:
        taskroom.log(f"returned {status}")


class Careless(Task):  # type: ignore[misc]
    """Its hooks report too."""

    abstract = True

    def on_success(self, *args: Any) -> None:
        taskroom.log("in on_success")

    def after_return(self, *args: Any) -> None:
        taskroom.log("in after_return")


def wait_for_file(name: str) -> None:
    while not (FOLDER / name).exists():
        time.sleep(0.02)


@app.task
def add(x: int, y: int) -> int:
    return x + y


@app.task
def total(numbers: list[int]) -> int:
    return sum(numbers)


@app.task
def login(user: str, password: str, **more: Any) -> dict[str, Any]:
    return {"user": user, "access_token": "abc", "more": more}


@app.task
def changes(numbers: list[int]) -> list[int]:
    numbers.append(3)
    return numbers


@app.task
def fails_once() -> None:
    marker = FOLDER / "failed-once"
    if not marker.exists():
        marker.touch()
        raise ValueError("the first time")


@app.task
def talk() -> None:
    plain.info("through the root logger")
    logger.warning("through the logger of tasks")
    print("a", "b")
    print("careful", file=sys.stderr)
    print("no newline", end="")


@app.task(bind=True, base=Timed)
def timed(self: Any) -> str:
    return str(self.request.id)


@app.task(bind=True, autoretry_for=(Exception,), retry_kwargs={"max_retries": 2, "countdown": 0})
def flaky(self: Any, name: str = "x") -> str:
    plain.info("try %d, parent %s", self.request.retries, self.request.parent_id)
    if self.request.retries < 1:
        raise ConnectionError("not yet")
    return name


@app.task(bind=True, max_retries=3)
def later(self: Any) -> str:
    if self.request.retries == 0:
        raise self.retry(exc=ValueError("busy"), countdown=1)
    return "done"


@app.task
def fails() -> None:
    raise ValueError("no such thing")


@app.task(bind=True, autoretry_for=(Exception,), retry_kwargs={"max_retries": 5, "countdown": 0})
def cancelled(self: Any) -> None:
    """Reports until somebody cancels it; what is no Exception passes ``except Exception``."""
    for n in range(100_000):
        with contextlib.suppress(Exception):
            taskroom.log(f"line {n}")
        time.sleep(0.02)


@app.task(bind=True, autoretry_for=(Exception,))
def counts(self: Any) -> None:
    for n in range(100_000):
        self.update_state(state="PROGRESS", meta={"current": n, "total": 100_000})
        time.sleep(0.02)


@app.task(base=Timed)
def timed_loop() -> None:
    for n in range(100_000):
        taskroom.log(f"turn {n}")
        time.sleep(0.02)


@app.task(bind=True)
def states(self: Any) -> str:
    for n in (1, 2, 3):
        self.update_state(state="DOWNLOADING", meta={"current": n, "total": 3, "description": f"file {n}"})
    self.update_state(state="PROGRESS", meta={"percent": 40, "message": "sorting"})
    return "sorted"


@app.task(bind=True)
def recorded(self: Any) -> None:
    from celery_progress.backend import ProgressRecorder

    recorder = ProgressRecorder(self)
    for n in range(1, 5):
        recorder.set_progress(n, 4, f"{n} of 4")


@app.task(bind=True)
def own_end(self: Any, state: str) -> None:
    self.update_state(state=state, meta={"exc_type": "Broken", "exc_message": "by itself", "size": 3})
    raise Ignore


@app.task(acks_late=True)
def rejects(requeue: bool) -> None:
    marker = FOLDER / "rejected-once"
    if requeue and marker.exists():
        return
    marker.touch()
    raise Reject("not for me", requeue=requeue)


@app.task(bind=True)
def replaces(self: Any) -> Any:
    raise self.replace(add.s(40, 2))


@app.task
def spawns() -> str:
    return str(add.delay(1, 1).id)


@app.task(bind=True)
def headers(self: Any) -> Any:
    return self.request.headers, self.request.stamps


@app.task(bind=True, base=Careless)
def careless(self: Any) -> None:
    taskroom.log("begun")
    wait_for_file(f"go-{self.request.id}")


@app.task
def hidden() -> None:
    """Not reported, where the test says so."""
    plain.info("in a task that is not reported")
    add.delay(2, 2)


@app.task(bind=True)
def waits(self: Any, name: str) -> str:
    plain.info("waiting in %s for %s", os.getpid(), self.request.id)
    wait_for_file(name)
    plain.info("went on")
    return name


@app.task(acks_late=True, reject_on_worker_lost=True)
def dies_once() -> str:
    marker = FOLDER / "died-once"
    if marker.exists():
        return "survived"
    marker.touch()
    plain.info("about to die")
    os.kill(os.getpid(), signal.SIGKILL)
    return "never"


@app.task
def dies() -> None:
    plain.info("about to die")
    os.kill(os.getpid(), signal.SIGKILL)


@app.task
def exits() -> None:
    sys.exit(3)


@app.task
def forks() -> str:
    child = os.fork()
    if child == 0:
        print("in the child", flush=True)
        taskroom.log("also in the child")
        os._exit(0)
    os.waitpid(child, 0)
    return "in the parent"


@app.task(bind=True)
def threaded(self: Any) -> None:
    """``self.request`` is of this thread only."""
    thread = threading.Thread(target=lambda: taskroom.log(f"in a thread, id {self.request.id}"))
    thread.start()
    thread.join()


@app.task
def nested() -> str:
    """An eager task within a task."""
    plain.info("before")
    result = add.apply((3, 4))
    plain.info("after")
    return str(result.id)


@shared_task(name="shop.shared")
def shared() -> str:
    plain.info("shared")
    return "shared"
