"""The process that reports a command: it makes lines of its output, and tells the server.

It is another process than the one that passes the output on, so that its work slows no command. It outlives that one
for as long as the server takes what is left, and says the end of a run whose ``taskroom run`` was killed.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import threading
import time
import uuid
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, NoReturn, cast

from taskroom.cli.frames import END, LOST, STDERR, STDOUT, Frames, read
from taskroom.cli.splitter import Splitter
from taskroom.client_sink import ClientSink
from taskroom.limits import LINGER_SECONDS

MOST_WAITING = 8_000_000  # bytes of output that is not yet lines
READ_BYTES = 1 << 18
BEAT_SECONDS = 5.0  # of silence; then the server is asked whether somebody has cancelled
BAR_SECONDS = 1.0  # between two states of a progress bar
MARGIN_SECONDS = 0.3  # before the other process goes on, for the disk
STREAMS = {STDOUT: ("INFO", "stdout"), STDERR: ("WARNING", "stderr")}
IGNORED = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP")
KILLED = {"type": "Killed", "message": "taskroom was killed; what became of the command is not known"}


class About(NamedTuple):
    """What a run is made of."""

    id: str
    task: dict[str, Any]
    url: str
    key: str


class RunReporter:
    """Tells the server of one run what comes over ``peer``, and the other process when to stop."""

    def __init__(self, peer: socket.socket, about: About) -> None:
        self._peer, self._about = peer, about
        self._frames = Frames(MOST_WAITING)
        self._splitters = {kind: Splitter() for kind in STREAMS}
        self._bars = dict.fromkeys(STREAMS, (time.monotonic(), ""))  # the last state of each, and when it was
        self._attempt = uuid.uuid4().hex
        self._warning: str | None = None

    def run(self) -> None:
        """Reports until the run's end is told."""
        from taskroom.server import connect

        threading.Thread(target=self._receive, daemon=True).start()
        try:
            client: Any = connect(self._about.url, self._about.key)
        except ValueError as error:
            self._tell({"note": f"this run is reported nowhere: {error}"})
            return
        logging.getLogger("taskroom").addHandler(_Warnings(self._warn))
        self._client = client
        self._sink = ClientSink(client, self._about.id, self._attempt)
        self._sink.start(**self._about.task)
        client.on_cancel(self._about.id, self._stop)
        end = self._report()
        linger = max(end.pop("linger", 0.0) - MARGIN_SECONDS, MARGIN_SECONDS)
        self._sink.end(**end)
        kept = client.flush(linger)
        self._tell({"note": self._note(kept, client.drain(0.0))})
        client.drain(LINGER_SECONDS)
        client.close()

    def _receive(self) -> None:
        with self._peer.makefile("rb", buffering=READ_BYTES) as source, suppress(OSError):
            while (frame := read(cast(BinaryIO, source))) is not None:
                self._frames.put(frame)
        self._frames.close()

    def _report(self) -> dict[str, Any]:
        """Reports the output. Returns the end of the run."""
        heard = time.monotonic()
        while True:
            frame = self._frames.get(max(0.0, heard + BEAT_SECONDS - time.monotonic()))
            if frame is not None and frame.kind == END:
                self._finish()
                return dict(json.loads(frame.body))
            if frame is None and self._frames.ended:
                self._finish()
                return {"status": "FAILURE", "error": KILLED}
            if frame is None:
                self._client.task(self._about.id, self._attempt)  # an answer says whether to stop
            elif frame.kind == LOST:
                self._gap(frame.body[:1], int(frame.body[1:]), frame.at)
            else:
                self._lines(frame.kind, self._splitters[frame.kind].split(frame.body), _stamp(frame.at))
                self._bar(frame.kind, _stamp(frame.at))
            heard = time.monotonic()

    def _lines(self, kind: bytes, lines: list[str], stamp: str) -> None:
        level, component = STREAMS[kind]
        for line in lines:
            self._sink.log(line, level, component, None, stamp)

    def _bar(self, kind: bytes, stamp: str) -> None:
        """Reports how far a progress bar is: a line that ends with ``\\r``, which the next one of it replaces."""
        (shown_at, before), state = self._bars[kind], self._splitters[kind].state()
        if state and state != before and time.monotonic() - shown_at >= BAR_SECONDS:
            self._bars[kind] = time.monotonic(), state
            self._lines(kind, [state + "\r"], stamp)

    def _gap(self, kind: bytes, count: int, at: float) -> None:
        self._lines(kind, self._splitters[kind].gap(), _stamp(at))
        missing = f"{count:,} lines of {STREAMS[kind][1]} are missing here: they came too fast"
        self._sink.log(missing, "WARNING", "taskroom", None, _stamp(at))

    def _finish(self) -> None:
        for kind, splitter in self._splitters.items():
            self._lines(kind, splitter.finish(), _stamp(time.time()))

    def _stop(self, why: str) -> None:
        if why == "cancelled":
            self._tell({"cancel": True})

    def _tell(self, message: dict[str, Any]) -> None:
        with suppress(OSError):  # it has gone
            self._peer.sendall(json.dumps(message).encode() + b"\n")

    def _warn(self, text: str) -> None:
        self._warning = text

    def _note(self, kept: bool, stored: bool) -> str | None:
        """What to say to who started the command; None when there is nothing, or the server merely takes its time."""
        if self._client.refused:
            return f"the server did not take all of this run: {self._client.refused}"
        if stored:
            return None
        if not kept:
            return f"the server has not all of this run, and nothing of it could be kept: {self._warning}"
        return f"{self._warning}; {self._client.remedy}" if self._warning else None


class _Warnings(logging.Handler):
    def __init__(self, take: Any) -> None:
        super().__init__(logging.WARNING)
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        self._take(record.getMessage())


def serve(peer: socket.socket, about: About) -> NoReturn:
    """What the new process does, from its fork to its end."""
    status = 1
    try:
        _leave(peer.fileno())
        RunReporter(peer, about).run()
        status = 0
    finally:
        os._exit(status)


def _leave(kept: int) -> None:
    """Leaves terminal and signals to the other process, and what it has open: who waits for the end of a pipe, or for
    a lock, must not wait for this process."""
    os.setsid()
    for name in IGNORED:
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    for fd in [int(path.name) for path in Path("/dev/fd").iterdir()]:
        if fd > 2 and fd != kept:
            with suppress(OSError):
                os.close(fd)


def _stamp(at: float) -> str:
    moment = datetime.fromtimestamp(at, timezone.utc)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
