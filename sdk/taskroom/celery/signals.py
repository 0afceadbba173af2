"""Connects the parts that report to one application of Celery, once."""

from __future__ import annotations

import weakref
from typing import Any

from celery import signals

from taskroom.celery import again, cancel, heartbeat, receivers, sending, states
from taskroom.celery.depths import DEPTH_SECONDS, Depths
from taskroom.celery.heartbeat import Heartbeat, Repeated
from taskroom.celery.lost import LOOK_SECONDS, LostChildren
from taskroom.celery.options import Options
from taskroom.celery.parent import Parent
from taskroom.celery.pools import Pools
from taskroom.celery.published import Published
from taskroom.celery.reporter import Reporter
from taskroom.celery.resend import Resender
from taskroom.celery.running import Running
from taskroom.celery.schedules import Schedules
from taskroom.server import Client

_connected: weakref.WeakKeyDictionary[Any, Connected] = weakref.WeakKeyDictionary()


class Connected:
    """What reports the tasks of one application."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter, self._client = reporter, reporter.client
        self._lost = LostChildren(reporter)
        self._resender = Resender(reporter.app, reporter.memory, reporter.client)
        self._repeated: list[Repeated] = []

    def connect(self) -> None:
        pools = Pools(self._client)
        receivers.connect(signals.worker_shutdown, self._stop)  # before the client is closed
        for part in (
            pools,
            Published(self._reporter),
            Running(self._reporter, pools),
            Parent(self._reporter, self._lost),
            Schedules(self._reporter),
        ):
            part.connect()
        receivers.connect(signals.worker_ready, self._ready)
        self._client.on_resend(self._resender.wanted)
        states.install()
        again.install()
        sending.install()
        cancel.install()

    def _ready(self, sender: Any = None, **_: Any) -> None:
        """Begins what the main process of a worker does beside its work."""
        if sender.app is not self._reporter.app:
            return
        self._resender.serve()
        beat = Heartbeat(self._client, sender, self._reporter.held).beat
        self._repeated = [Repeated("taskroom-heartbeat", heartbeat.BEAT_SECONDS, beat)]
        depths = Depths(self._client, sender.app)
        self._repeated.append(Repeated("taskroom-depths", DEPTH_SECONDS, depths.report))
        self._repeated.append(Repeated("taskroom-lost", LOOK_SECONDS, self._lost.look))
        for each in self._repeated:
            each.start()

    def _stop(self, **_: Any) -> None:
        for each in self._repeated:
            each.stop()
        self._lost.look(last=True)


def connect(app: Any, client: Client, options: Options) -> None:
    """Reports the tasks of the application to the client. A second call for the same application does nothing."""
    resolved = getattr(app, "_get_current_object", None)
    app = app if resolved is None else resolved()
    if app not in _connected:
        _connected[app] = connected = Connected(Reporter(app, client, options))
        connected.connect()
