"""``taskroom pipe``: passes on what comes from stdin; its lines are a run."""

from __future__ import annotations

import argparse
import os
import signal
from typing import Any

from taskroom.cli import reported
from taskroom.cli.faults import Fault, say
from taskroom.cli.frames import STDOUT
from taskroom.cli.outlets import fill_standard_descriptors
from taskroom.cli.pump import Pump
from taskroom.cli.reporting import Unreported
from taskroom.cli.signals import SIGNALS, Received

GRACE_SECONDS = 2.0  # after Ctrl-C, for the last words of who writes
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
CANCELLED = 128 + signal.SIGTERM
NOBODY_READS = 128 + signal.SIGPIPE


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "COMMAND | taskroom pipe [options] NAME"
    parser.epilog = "It cannot know how the command ends; taskroom run can."
    parser.add_argument("name", metavar="NAME", help="the job type of the run")
    reported.arguments(parser)
    parser.add_argument(
        "--status", type=int, default=0, metavar="N",
        help="the exit status that is known already, as in: taskroom pipe NAME --status $? < FILE",
    )  # fmt: skip


def call(given: argparse.Namespace) -> int:
    if not 0 <= given.status <= 255:
        raise Fault(f"--status is a number from 0 to 255, not {given.status}")
    fill_standard_descriptors()
    run, _ = reported.begin(given, given.name)
    with SIGNALS(getattr(signal, name) for name in NAMES) as signals:
        run.on_change = signals.wake
        stop, stopping = os.pipe()
        pump = Pump(os.dup(0), 1, stop, GRACE_SECONDS, lambda data: run.put(STDOUT, data), signals.wake)
        os.close(0)  # who writes learns when this process reads no more
        run.start()
        pump.start()
        received: list[int] = []

        def has_ended() -> bool:
            return not pump.is_running or run.cancelled or bool(received)

        def take(signal_: Received) -> None:
            received.append(signal_.number)

        signals.wait(has_ended, take)
        os.close(stopping)
        if received == [signal.SIGINT]:
            signals.wait(lambda: not pump.is_running or len(received) > 1, take)
        status = _status(given.status, pump, run, received)
        run.end(linger=given.linger, **_ending(status, run, received))
        reported.wait(run, signals, given)
    return status


def _status(given: int, pump: Pump, run: Unreported, received: list[int]) -> int:
    if received:
        return 128 + received[0]
    if run.cancelled:
        return CANCELLED
    if isinstance(pump.error, BrokenPipeError):
        return NOBODY_READS
    if pump.error is not None:
        say(f"the output cannot be passed on: {pump.error.strerror}")
        return 1
    return given


def _ending(status: int, run: Unreported, received: list[int]) -> dict[str, Any]:
    """The end of the run. That nobody reads any more is none of its faults."""
    if run.cancelled or received:
        return {"status": "REVOKED"}
    if status in (0, NOBODY_READS):
        return {"status": "SUCCESS", "result": {"exit_status": 0}}
    return {"status": "FAILURE", "error": {"type": "ExitStatus", "message": f"exit status {status}"}}
