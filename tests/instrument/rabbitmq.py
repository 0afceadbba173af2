"""A RabbitMQ of a test run's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.up.embedded import free_port
from tests.support.system import wait_for

# Debian's command of this name changes the user, who may not write into the folder of a test; the one behind it does
# not.
PATH = f"/usr/lib/rabbitmq/bin{os.pathsep}{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"


@contextmanager
def rabbitmq(folder: Path) -> Iterator[str]:
    """Runs a node with its data in the folder; yields its URL."""
    port, name = free_port(), f"taskroom{uuid.uuid4().hex[:8]}@localhost"
    configuration = folder / "rabbitmq.conf"
    configuration.write_text(f"listeners.tcp.1 = 127.0.0.1:{port}\nlog.console = true\n")
    (folder / "plugins").write_text("[].")
    env = {
        **os.environ,
        "HOME": str(folder),  # of the cookie
        "RABBITMQ_NODENAME": name,
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_CONFIG_FILE": str(configuration),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }
    command = shutil.which("rabbitmq-server", path=PATH)
    assert command, "install RabbitMQ"
    with (folder / "rabbitmq.log").open("wb") as log:
        process = subprocess.Popen([command], env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_for("RabbitMQ", lambda: process.poll() is not None or _is_up(folder / "rabbitmq.log"), 120)
        assert process.poll() is None, (folder / "rabbitmq.log").read_text()
        yield f"amqp://guest:guest@127.0.0.1:{port}//"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(60)


def _is_up(log: Path) -> bool:
    return "Server startup complete" in log.read_text(errors="replace")
