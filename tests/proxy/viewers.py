"""Viewers that come back by themselves: browsers, and clients as they are."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import socketio

from tests.support.chromium import chromium, sign_in
from tests.support.system import User, wait_for
from tests.support.threads import joined
from tests.support.viewers import SocketViewer, SseViewer, Viewer


@contextmanager
def opened(sources: Sequence[EventSource], others: Sequence[Viewer]) -> Iterator[list[Viewer]]:
    """Opens all of them, one source after the other, so that each of two web processes gets half of the sources; and
    closes them."""
    reading = [threading.Thread(target=source.watch, daemon=True) for source in sources]
    viewers: list[Viewer] = []
    try:
        for source, thread in zip(sources, reading, strict=True):
            viewers.append(source)
            thread.start()
            source.wait_events(1)
        for viewer in others:
            viewers.append(viewer)
            viewer.open(0)
        yield viewers
    finally:
        for viewer in viewers:
            viewer.close()
        joined(*reading)


class PythonSocket(SocketViewer):
    """The official Python client; it comes back by itself, and joins where it was."""

    def new_client(self) -> socketio.Client:
        client = socketio.Client(reconnection_delay=0.1, reconnection_delay_max=0.2)

        def join() -> None:
            self.controls.append(("joined", {}, None))
            since = self.events[-1]["sequence"] if self.events else 0
            client.emit("join_task", {"task_id": self.task_id, "since_sequence": since})

        client.on("connect", join)
        return client

    def open(self, since: int | str | None = None) -> None:
        self.connect()


class EventSource(SseViewer):
    """As a browser does: the cursor of the last ``id:`` goes into Last-Event-ID, and every end is followed by a new try
    until ``end`` was heard. ``returns`` counts them."""

    def __init__(self, url: str, user: User, task_id: str) -> None:
        super().__init__(url, user, task_id)
        self.returns = 0

    def watch(self) -> None:
        """Reads to the end of the stream."""
        self.connect()
        while not self.ended:
            assert self.status == 200, "this ends an EventSource for good"
            wait_for("the end of the connection", self.closed.is_set, 300)
            if not self.ended:
                self.returns += 1
                self.connect()

    def connect(self) -> None:
        headers = {"Authorization": f"Bearer {self.user.token}", "Accept": "text/event-stream"}
        if self.events:
            headers["Last-Event-ID"] = str(self.events[-1]["sequence"])
        self.open(headers=headers)


class Page(Viewer):
    """A page in a Chromium of its own, and the browser's own EventSource: nobody helps it to come back."""

    TYPES = (
        *("log", "phase_update", "phase_complete", "task_status", "agent_started", "agent_completed"),
        "end",
    )
    WATCH = """([address, types]) => {
        window.entries = []
        const source = new EventSource(address)
        source.onopen = () => entries.push(["opened"])
        source.onerror = () => entries.push(source.readyState === EventSource.CLOSED ? ["given up"] : ["cut"])
        for (const type of types) source.addEventListener(type, event => {
          entries.push([type, JSON.parse(event.data), event.lastEventId])
          if (type === "end") source.close()
        })
    }"""

    def __init__(self, url: str, user: User, task_id: str) -> None:
        super().__init__(url, user, task_id)
        self.returns = -1  # opening it the first time is no return
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def open(self, since: int | str | None = None) -> None:
        self._thread.start()

    @property
    def is_open(self) -> bool:
        return self.returns >= 0

    def close(self) -> None:
        self.closed.set()
        joined(self._thread)

    def cut(self) -> None:
        raise NotImplementedError("only what it is connected to is cut")

    def _listen(self) -> None:
        """The browser is this thread's alone, so that it can be read beside the others."""
        with chromium() as browser, browser.new_context() as context:
            sign_in(context, self.url, self.user)
            page = context.new_page()
            page.goto(f"{self.url}/livez")
            page.evaluate(self.WATCH, [f"/api/v2/tasks/{self.task_id}/stream", self.TYPES])
            while not self.closed.wait(0.1):
                for type, *what in page.evaluate("entries.splice(0)"):
                    assert type != "given up", "the server ended it for good"
                    if type == "opened":
                        self.returns += 1
                    elif type != "cut":
                        self.receive(type, *what)
