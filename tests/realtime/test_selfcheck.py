"""What is not documented of the libraries is used in one file, and tried at the start."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

import httpx
import pytest

from tests.support.system import ROOT, System, User
from tests.support.viewers import SocketViewer

pytestmark = pytest.mark.slow

CHECK = """
import logging
from app import green
green.patch()
logging.basicConfig(format="%(levelname)s %(message)s")
import eventlet.queue, eventlet.semaphore, eventlet.websocket, engineio.socket
{change}
from app.realtime.socketio import selfcheck
selfcheck.SECONDS = {seconds}
print(selfcheck.direct())
"""
CHANGES = {
    "another lock": """
class Lock:
    acquire, release = (lambda *_, **__: True), (lambda _: None)
old = eventlet.websocket.WebSocket.__init__
def init(self, *args, **kwargs):
    old(self, *args, **kwargs)
    self._sendlock = Lock()
eventlet.websocket.WebSocket.__init__ = init
""",
    "another queue": """
old = eventlet.queue.Queue.__init__
def init(self, *args, **kwargs):
    old(self, *args, **kwargs)
    self.getters = []
eventlet.queue.Queue.__init__ = init
eventlet.queue.Queue.get = lambda self, block=True, timeout=None: (
    self._get() if self.qsize() else eventlet.sleep(0.01) or self.get(block, timeout))
""",
    "another frame": """
old = eventlet.websocket.RFC6455WebSocket._pack_message
eventlet.websocket.RFC6455WebSocket._pack_message = lambda self, *a, **k: b"!" + old(self, *a, **k)
""",
    "another session": "engineio.socket.Socket._websocket_handler = lambda self, ws: []",
}
PRIVATE = re.compile(
    r"_sendlock|\bgetters\b|\._async\b|_send_ping|_upgrade_websocket|_websocket_handler|\.fd\b|eio_sid_from_sid"
    r"|sid_from_eio_sid|handle_get_request|handle_post_request|get_queue_empty_exception|\.queue\.(get|put|queue)\b"
)


def run(change: str, seconds: float = 10.0) -> tuple[str, str]:
    """What it prints, and its warnings. ``seconds``: how long the check waits."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHECK.format(change=change, seconds=seconds)],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    return done.stdout.strip(), done.stderr


def test_the_libraries_of_today_look_as_we_take_them_to_look() -> None:
    assert run("") == ("True", "")


@pytest.mark.parametrize("change", CHANGES)
def test_a_library_that_looks_different_is_noticed_at_the_start(change: str) -> None:
    found, output = run(CHANGES[change], seconds=1.0)  # one of them never ends

    assert found == "False"
    assert output.count("WARNING") == 1 and "viewers go by its ordinary emit" in output


def test_with_a_library_that_looks_different_everybody_is_served(
    system: System, user: User, running: str
) -> None:
    with system.web(TEST_OTHER_LIBRARY="1") as url:
        assert "taskroom_socketio_direct 0.0" in httpx.get(f"{url}/metrics", timeout=60).text
        viewers = [
            SocketViewer(url, user, running, (transport,), batch=batch)
            for transport in ("websocket", "polling")
            for batch in (False, True)
        ]
        for viewer in viewers:
            viewer.open(0)
        user.client.post(f"/api/v2/tasks/{running}/cancel")
        for viewer in viewers:
            viewer.control("end")
            viewer.close()

    last = user.status(running)["sequence"]
    assert [viewer.sequences for viewer in viewers] == [list(range(1, last + 1))] * 4


def looks_inside(source: str) -> bool:
    """Whether it uses what is not documented, or what something else than itself keeps to itself."""
    if PRIVATE.search(source):
        return True
    for node in ast.walk(ast.parse(source)):
        name, of = "", ""
        if isinstance(node, ast.Attribute):
            name, of = node.attr, ast.unparse(node.value)
        elif isinstance(node, ast.Call) and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            name = str(node.args[1].value) if ast.unparse(node.func).endswith("attr") else ""
        own = name.startswith("__") or of in ("self", "cls", "other", "super()")
        if name.startswith("_") and not own:
            return True
    return False


def test_their_inside_is_looked_at_in_one_file() -> None:
    files = [*(ROOT / "app/realtime").rglob("*.py"), *(ROOT / "app/api").glob("*.py")]
    found = {path.name for path in files if looks_inside(path.read_text())}

    assert found == {"engineio_adapter.py", "selfcheck.py"}
    assert looks_inside("manager._handle_emit") and looks_inside("getattr(manager, '_handle_emit')")
