"""Starts a compared program, waits until it listens, and ends it."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bench.stand import Stand, open_port
from tests.support.system import ROOT, free_port, wait_for


@contextmanager
def running(name: str, stand: Stand, command: Callable[[int], list[str]]) -> Iterator[tuple[int, int]]:
    """Yields the port and the process. ``command`` is made for the port."""
    port = free_port()
    environment = {**os.environ, "PORT": str(port), "REDIS_URL": stand.redis_url}
    log = stand.home.log / f"{name.replace(' ', '-')}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(command(port), cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        wait_for(name, lambda: process.poll() is not None or open_port(port), 30)
        assert process.poll() is None, log.read_text()[-2000:]
        yield port, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
