"""``taskroom celery``: reports the tasks of workers that send events (-E), without a change of their project."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
import time
from typing import Any, NoReturn

from taskroom._transport import Client
from taskroom.cli.celery_events import Observer
from taskroom.cli.faults import Fault, say
from taskroom.cli.settings import settings

BROKER = "CELERY_BROKER_URL"
LONGEST_WAIT = 30.0  # before the broker is tried again
STEADY_SECONDS = 60.0  # a connection that lasted so long was no failure
LOOK_SECONDS = 20.0  # from one question what the workers run to the next; a lease has 60
ANSWER_SECONDS = 2.0


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "Start the workers with -E; task_send_sent_event shows tasks that wait, too."
    parser.add_argument("--broker", metavar="URL", help=f"the broker of the workers (default: {BROKER})")
    parser.add_argument(
        "--terminate",
        action="store_true",
        help="a cancel ends the process of a task that runs; else it stops those that wait",
    )


def call(given: argparse.Namespace) -> int:
    """Reports until it is interrupted, or ended by SIGTERM."""
    broker = given.broker or os.environ.get(BROKER)
    if not broker:
        raise Fault(f"give the broker of the workers: --broker URL, or {BROKER}")
    try:
        from celery import Celery
    except ImportError:
        raise Fault("celery is not installed here: pip install celery, with what its broker needs") from None
    logging.getLogger("taskroom").addHandler(_ToStderr())
    client = Client(settings=settings(given))
    app = Celery(broker=broker, set_as_current=False)
    observer = Observer(client, _revoker(app, given.terminate))
    signal.signal(signal.SIGTERM, _end)
    try:
        _observe(app, observer)
    finally:
        client.close()
    return 0


def _end(*_: object) -> NoReturn:
    raise SystemExit(0)


def _observe(app: Any, observer: Observer) -> None:
    """Takes events, and connects again when the broker was away. Raises Fault when the first connection fails."""
    failures, connected = 0, False
    ready = threading.Event()
    threading.Thread(target=_look, args=(app, observer, ready), daemon=True).start()
    while True:
        began = time.monotonic()
        connection = app.connection_for_read()
        try:
            with connection:
                connection.connect()
                connected, failures = True, 0
                _capture(app.events.Receiver(connection, handlers={"*": observer.take}), ready)
        except (*connection.connection_errors, *connection.channel_errors, OSError) as error:
            if not connected:
                raise Fault(
                    f"cannot reach the broker {connection.as_uri()}: {error}; check --broker"
                ) from None
            if not failures:
                say(f"the broker {connection.as_uri()} is away: {error}; trying again")
        ready.clear()
        failures += 1
        if time.monotonic() - began < STEADY_SECONDS:
            time.sleep(min(2.0 ** min(failures - 1, 10), LONGEST_WAIT))


def _capture(receiver: Any, ready: threading.Event) -> None:
    """Takes events until the connection is lost. Sets ``ready`` when none is missed any more."""
    on_consume_ready = receiver.on_consume_ready

    def say_ready(*given: Any, **named: Any) -> None:
        say(f"takes the events of {receiver.connection.as_uri()}")
        ready.set()
        on_consume_ready(*given, **named)

    receiver.on_consume_ready = say_ready
    receiver.capture(limit=None, timeout=None, wakeup=True)


def _look(app: Any, observer: Observer, ready: threading.Event) -> None:
    """Asks the workers again and again what they run."""
    while True:
        ready.wait()
        observer.before_look()
        try:
            observer.looked(app.control.inspect(timeout=ANSWER_SECONDS).active(safe=True) or {})
        except Exception as error:  # of the broker's library
            say(f"the workers cannot be asked what they run: {error}; trying again")
        time.sleep(LOOK_SECONDS)


def _revoker(app: Any, terminate: bool) -> Any:
    """What tells the workers that a task was cancelled, without making the thread wait that reports."""

    def revoke(task_id: str) -> None:
        def send() -> None:
            try:
                app.control.revoke(task_id, terminate=terminate)
            except Exception as error:  # of the broker's library
                say(f"the workers cannot be told that {task_id} was cancelled: {error}")

        threading.Thread(target=send, daemon=True).start()

    return revoke


class _ToStderr(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        say(record.getMessage())
