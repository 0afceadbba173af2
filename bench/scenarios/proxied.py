"""Taskroom alone: nginx with deploy/nginx.conf in front of two web processes, viewers on both wires."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.up import nginx
from app.up.errors import UpError
from app.up.process import Process
from app.up.process_plan import http_ready
from bench.contest import Contest
from bench.figures import OURS, Figure
from bench.load import Load, copies
from bench.measure import Run, deliver
from bench.scenarios.rooms import VIEWERS, say
from bench.stand import Ours
from tests.support.system import free_port, wait_for


def proxied(contest: Contest) -> list[Figure]:
    """The quiet room through nginx, half of the viewers on each wire."""
    stand = contest.stand
    behind = {"TRUSTED_PROXIES": "1"}
    with (
        stand.ours(TASKROOM_PROCESS="1", **behind) as one,
        stand.ours(TASKROOM_PROCESS="2", **behind) as two,
    ):
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        processes = {n: urlsplit(server.url).netloc for n, server in enumerate((one, two), 1)}
        try:
            child = nginx.child(stand.home, f"127.0.0.1:{port}", processes, http_ready(f"{url}/readyz"))
        except UpError as error:
            contest.absent["nginx before our own"] = str(error)
            return []
        process = Process(child, stand.home)
        process.start()
        try:
            wait_for("nginx", process.ready)
            run = _run(Ours(stand, url, one.pid))
        finally:
            process.stop()
    say("through nginx", run)
    name, doubts = "proxied", {OURS: ", ".join(run.doubts)} if run.doubts else {}
    return [
        Figure(name, "delivered once and in order", "%", {OURS: run.share}, 100, True, doubts),
        Figure(name, "commit to receipt, p50", "ms", {OURS: run.percentile(50) * 1e3}, doubts=doubts),
        Figure(name, "commit to receipt, p99", "ms", {OURS: run.percentile(99) * 1e3}, 60, doubts=doubts),
    ]


def _run(server: Ours) -> Run:
    with Load() as load:
        task = server.task()
        for wire in server.wires:
            load.add(copies(server.room(wire, task), VIEWERS // 2))
        load.join_all()
        return deliver(load, server, server.publisher([task], 20, 300))
