"""Job types of the tests that run at the same time, and report from wherever code may run."""

from __future__ import annotations

import logging
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from marshmallow import Schema, fields

from workers import current
from workers.progress import job, log, phase

logger = logging.getLogger("tests.thread_jobs")


class Meeting(Schema):
    text = fields.String(
        required=True, metadata={"description": "What it reports, and its name at the meeting"}
    )
    folder = fields.String(required=True, metadata={"description": "Where those that take part leave a file"})
    parties = fields.Integer(required=True, metadata={"description": "How many take part"})
    rounds = fields.Integer(load_default=20)


@job("test_meeting", params=Meeting)
def meeting(text: str, folder: str, parties: int, rounds: int) -> int:
    """Waits until all that take part run, then reports its text in each way; returns how many lines that makes."""
    (Path(folder) / text).touch()
    while len(list(Path(folder).iterdir())) < parties:
        current.get().check()
        time.sleep(0.01)
    lines = 0
    with phase(f"phase of {text}", total=rounds) as opened, ThreadPoolExecutor(2) as executor:
        for _ in range(rounds):
            log(text)
            logger.warning(text)
            print(text)
            thread = threading.Thread(target=print, args=(text,))
            thread.start()
            executor.submit(log, text).result()
            thread.join()
            lines += 5 + _in_a_greenlet(text)
            opened.advance()
            time.sleep(0.001)
    return lines


def _in_a_greenlet(text: str) -> int:
    """Logs in a greenlet of its own where the worker's pool is gevent; returns how many lines that makes."""
    if "gevent" not in sys.modules:
        return 0
    import gevent

    gevent.joinall([gevent.spawn(log, text), gevent.spawn(logger.warning, text)], raise_error=True)
    return 2
