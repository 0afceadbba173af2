"""``taskroom run``: runs a command. Its output and its end are a run; to it and to its caller nothing changes."""

from __future__ import annotations

import argparse
import os
import signal
from contextlib import suppress
from typing import Any

from taskroom.cli import reported
from taskroom.cli.child import CannotStart, Child
from taskroom.cli.faults import Fault, say
from taskroom.cli.frames import STDERR, STDOUT
from taskroom.cli.outlets import Outlet, fill_standard_descriptors
from taskroom.cli.pump import Pump
from taskroom.cli.reporting import Unreported
from taskroom.cli.signals import SIGNALS, Received, Signals
from taskroom.server import RUN

GRACE_SECONDS = 2.0  # for output of processes that the command leaves behind
SIZE_SECONDS = (
    1.0  # how often the size of the terminal is looked at: a shell within has its signal for itself
)
NAMES = ("SIGINT", "SIGQUIT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGTSTP", "SIGCONT")
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.usage = "taskroom run [options] -- COMMAND [ARGUMENT ...]"
    parser.epilog = "The exit status is the command's; 128 and the signal's number if a signal ended it."
    parser.add_argument(
        "--name", metavar="NAME", help="the job type of the run (default: the name of the command)"
    )
    reported.arguments(parser)
    parser.add_argument(
        "argv", nargs=argparse.REMAINDER, metavar="COMMAND", help="the command and its arguments"
    )


def call(given: argparse.Namespace) -> int:
    if not given.argv:
        raise Fault("say what to run: taskroom run -- COMMAND")
    if not hasattr(os, "posix_spawn"):
        raise Fault("this system cannot run commands so; use taskroom.run in Python")
    fill_standard_descriptors()
    name = given.name or os.path.basename(given.argv[0])  # noqa: PTH119
    run, id = reported.begin(given, name)
    env = dict(os.environ) if id is None else {**os.environ, RUN: id}
    with SIGNALS(getattr(signal, name) for name in NAMES) as signals:
        run.on_change = signals.wake
        command = _Command(given.argv, env, signals)
        status, ending = command.run(run)
        run.end(linger=given.linger, **ending)
        reported.wait(run, signals, given)
    return status


class _Command:
    def __init__(self, argv: list[str], env: dict[str, str], signals: Signals) -> None:
        self._argv, self._env, self._signals = argv, env, signals
        self._interrupted = self._abandoned = self._asked = False

    def run(self, run: Unreported) -> tuple[int, dict[str, Any]]:
        """Returns the exit status, and the end of the run."""
        self._outlets = [Outlet(1), Outlet(2)]
        try:
            self._child = Child(self._argv, self._env, self._outlets, self._signals.mask)
        except CannotStart as why:
            run.start()
            say(str(why))
            return why.status, _failure("CannotStart", str(why))
        for outlet in self._outlets:
            outlet.close_its()
        run.start()
        self._pass_on(run)
        for pump in self._pumps:
            if pump.error is not None and not isinstance(pump.error, BrokenPipeError):
                say(f"the output cannot be passed on: {pump.error.strerror}")
        return self._child.exit_status, self._ending(run)

    def _pass_on(self, run: Unreported) -> None:
        def pump(outlet: Outlet, kind: bytes) -> Pump:
            take = _copier(run, kind)
            return Pump(outlet.ours, outlet.target, stop, GRACE_SECONDS, take, self._signals.wake)

        stop, stopping = os.pipe()
        self._pumps = [pump(*each) for each in zip(self._outlets, (STDOUT, STDERR))]
        for each in self._pumps:
            each.start()
        tick = SIZE_SECONDS if any(outlet.is_terminal for outlet in self._outlets) else None
        self._signals.wait(lambda: self._has_ended(run), self._forward, tick=tick)
        self._signals.take_pending(
            self._note
        )  # the signal that ended the command may come to this process after it
        os.close(stopping)
        self._signals.wait(
            lambda: self._abandoned or not any(each.is_running for each in self._pumps), self._abandon
        )

    def _has_ended(self, run: Unreported) -> bool:
        if run.cancelled and not self._asked:
            self._asked = True
            self._child.end()
        self._fit()
        return self._child.has_ended()

    def _note(self, received: Received) -> None:
        if received.number == signal.SIGINT:
            self._interrupted = True

    def _forward(self, received: Received) -> None:
        """Hands on a signal that has reached this process alone."""
        self._note(received)
        if received.number == signal.SIGWINCH and self._fit():
            return
        if not received.from_terminal:
            self._child.send(received.number)
        if received.number == signal.SIGTSTP:
            self._signals.stop()

    def _abandon(self, received: Received) -> None:
        """The command has ended, and who should take the rest of its output does not."""
        self._abandoned = received.number in ENDING

    def _fit(self) -> bool:
        """Tells the command when the terminal has another size; whether it has."""
        changed = [outlet.target for outlet in self._outlets if outlet.fit()]
        if changed:
            with suppress(OSError):
                os.killpg(os.tcgetpgrp(changed[0]), signal.SIGWINCH)
        return bool(changed)

    def _ending(self, run: Unreported) -> dict[str, Any]:
        code = self._child.code or 0
        if run.cancelled or (self._interrupted and code):
            return {"status": "REVOKED"}
        if not code:
            return {"status": "SUCCESS", "result": {"exit_status": 0}}
        if code > 0:
            return _failure("ExitStatus", f"exit status {code}")
        return _failure("Signal", f"ended by {_name(-code)}")


def _copier(run: Unreported, kind: bytes) -> Any:
    return lambda data: run.put(kind, data)


def _failure(type: str, message: str) -> dict[str, Any]:
    return {"status": "FAILURE", "error": {"type": type, "message": message}}


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
