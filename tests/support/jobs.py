"""Job types for the tests. They do what the shipped ones never do, such as failing on purpose."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
from typing import Any

from marshmallow import Schema, fields

from app.bus import EventService
from app.tasks.approvals import ApprovalRequest
from workers import current, emitters
from workers.errors import ApprovalNeeded
from workers.progress import RetryTask, item_error, job, log, phase, require_approval, track

logger = logging.getLogger("tests.jobs")


class Nothing(Schema):
    pass


class Text(Schema):
    text = fields.String(load_default="", metadata={"description": "Logged unchanged"})


class Outside(Text):
    api_key = fields.String()


class Account(Schema):
    name = fields.String()
    password = fields.String()  # secret by its name


class SignIn(Schema):
    pin = fields.Integer(load_only=True)
    word = fields.String(metadata={"format": "password"})
    account = fields.Nested(Account)


class Lines(Schema):
    lines = fields.List(fields.String())


class Count(Schema):
    count = fields.Integer(load_default=10)


@job("test_outside", params=Outside, phases={"fetch": 1, "write": 3}, queue="elsewhere")
def outside(text: str, api_key: str = "") -> None:
    """Waits for an external worker: no Celery worker of the tests reads its queue."""


@job("test_echo", params=Text)
def echo(text: str) -> dict[str, Any]:
    """Logs its text and returns it."""
    log(text)
    return {"text": text}


@job("test_sign_in", params=SignIn)
def sign_in(pin: int, word: str, account: dict[str, str]) -> dict[str, Any]:
    """Returns what nobody could know who has not got the secrets."""
    return {"length": len(word) + len(account["password"]), "digits": sum(map(int, str(pin)))}


@job("test_lines", params=Lines)
def lines(lines: list[str]) -> None:
    """Logs each line unchanged."""
    for line in lines:
        log(line)


@job("test_fail", params=Text)
def fail(text: str) -> None:
    """Fails in the middle of a phase."""
    with phase("doomed", total=3, message="about to fail") as doomed:
        doomed.advance()
        raise ValueError(text or "as asked")


@job("test_retry", params=Count, max_retries=2)
def retry(count: int) -> str:
    """Fails ``count`` times, then succeeds."""
    if current.get().claim.retry_count < count:
        raise RetryTask("not yet", countdown=0.05)
    return "at last"


@job("test_retry_for", params=Nothing, max_retries=1, retry_for=(ConnectionError,), retry_delay=0.05)
def retry_for() -> None:
    """Fails with an exception that causes a retry."""
    raise ConnectionError("unreachable")


@job("test_endless", params=Nothing, phases=("turning",))
def endless() -> None:
    """Runs until it is cancelled."""
    with phase("turning") as turning:
        while True:
            time.sleep(0.01)
            turning.advance()


@job("test_half", params=Nothing, phases={"first": 1, "second": 1})
def half() -> None:
    """Does half of its work and then waits until it is cancelled."""
    with phase("first"):
        pass
    endless()


@job("test_stubborn", params=Nothing)
def stubborn() -> None:
    """Catches every Exception, and still stops when it is cancelled."""
    while True:
        try:
            log("still here")
            time.sleep(0.02)
        except Exception:
            logger.exception("swallowed")


@job("test_logging", params=Nothing)
def with_logging() -> None:
    """Logs through the standard library, from a thread too, and prints."""
    logger.info("from %s", "logging")
    logger.warning("careful")
    try:
        raise KeyError("inner")
    except KeyError:
        logger.exception("with traceback")
    thread = threading.Thread(target=lambda: logger.error("from a thread"))
    thread.start()
    thread.join()
    print("from print")


@job("test_emitters", params=Nothing)
def with_emitters() -> None:
    """Reports with the older functions."""
    task_id = current.get().claim.task_id
    emitters.emit_task_status(task_id, True, "Starting", "cache")
    emitters.emit_phase_update(task_id, "cache", "active", "Caching", 0, 2)
    emitters.emit_phase_update(task_id, "cache", "in_progress", "One", 1, 2)
    emitters.emit_log_event(task_id, "WARNING", "half way", component="cacher", phase="cache")
    emitters.emit_phase_update(task_id, "cache", "in_progress", "Two", 2, 2, error_count=1)
    emitters.emit_phase_complete(task_id, "cache", 2, 2, 1, 0.5)
    emitters.publish_progress(task_id, 40, "Nearly half")
    emitters.ModernRealtimeEmitter().emit_log_event(task_id, "INFO", "from the class")
    emitters.emit_task_status(task_id, False, "Done, so it says")


@job("test_phases", params=Count, phases=("first", "second"))
def phases(count: int) -> None:
    """Two phases of many quick items, some of them in error."""
    for n in track(range(count), phase="first", message="{n} of {total}"):
        if n % 3 == 0:
            item_error(f"item {n} is bad")
    for _ in track(iter(range(count)), phase="second", total=count):
        pass


@job("test_story", params=Count, phases=("reading", "writing"))
def story(count: int) -> None:
    """``count`` lines in two phases; the last of each fifth of them is an error with a needle in it."""
    for name, numbers in (
        ("reading", range(1, count // 2 + 1)),
        ("writing", range(count // 2 + 1, count + 1)),
    ):
        with phase(name, total=len(numbers)) as part:
            for n in numbers:
                if n % (count // 5) == 0:
                    log(f"needle at {n}", "ERROR")
                else:
                    log(f"straw {n}")
            part.advance(len(numbers))


@job("test_prints", params=Nothing)
def prints() -> None:
    """Prints; the last line has no newline."""
    print("a", "b")
    print("careful", file=sys.stderr)
    json.dump({"a": [1, 2]}, sys.stdout)


@job("test_exit", params=Nothing)
def leaves() -> None:
    """Calls sys.exit, which must not end the worker."""
    raise SystemExit(3)


@job("test_unstorable", params=Nothing)
def unstorable() -> object:
    """Returns a value that JSON cannot represent."""
    return object()


@job("test_flood", params=Nothing)
def flood() -> None:
    """Logs one line of ten megabytes."""
    log("x" * 10_000_000)


@job("test_dirty", params=Nothing)
def dirty() -> None:
    """Logs characters that Postgres or UTF-8 cannot store."""
    log("nul \0 here")
    log("bad \udcff name")
    log("after")


@job("test_quiet", params=Nothing)
def quiet() -> None:
    """Opens a phase and then reports nothing until it is cancelled."""
    with phase("silence", message="nothing to say"):
        while True:
            current.get().check()
            time.sleep(0.02)


@job("test_cancel_wrapped", params=Nothing, max_retries=3, retry_for=(ConnectionError,), retry_delay=0.05)
def cancel_wrapped() -> None:
    """Turns a cancel into an error that causes a retry, like careless clean-up code."""
    try:
        while True:
            log("still here")
            time.sleep(0.02)
    except BaseException as error:
        raise ConnectionError("wrapped") from error


@job("test_track_fails", params=Nothing)
def track_fails() -> None:
    """Fails inside a loop over track()."""
    for _ in track(range(10), phase="loop"):
        raise ValueError("in the loop")


@job("test_odd_result", params=Nothing)
def odd_result() -> dict[str, str]:
    """Returns an odd file name."""
    return {"file": "bad \udcff name"}


@job("test_second_try", params=Nothing, max_retries=1, retry_lost=True)
def second_try() -> str:
    """Its first attempt never ends by itself; the second runs after the loss of the first one's worker."""
    while current.get().claim.attempt == 1:
        log("still here")
        time.sleep(0.05)
    return "at last"


@job("test_approval", params=Nothing)
def approval() -> str:
    """Asks twice; the second time in a phase, within code that catches every Exception."""
    require_approval("send", "Send the mail", "high", 1.5)
    log("sent")
    with phase("pay"):
        try:
            require_approval("pay", "Pay the bill")
        except Exception:
            log("swallowed")
    return "paid"


@job("test_asks_late", params=Nothing)
def asks_late() -> None:
    """Asks for an approval after its cancel, like a task that has not noticed the cancel yet."""
    while not current.get().cancelled:
        time.sleep(0.02)
    raise ApprovalNeeded(ApprovalRequest.of("late", "Something", "medium", 0.0))


@job("test_publish", params=Text)
def publish(text: str) -> None:
    """Publishes to the user whose id is the text, twice with the same event id."""
    for _ in range(2):
        EventService().publish(text, "note.made", {"from": "a worker"}, event_id="once")
