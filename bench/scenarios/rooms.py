"""One room with a thousand viewers: busy and quiet, on both wires, for Taskroom and the peers."""

from __future__ import annotations

from bench import proc
from bench.contest import Contest
from bench.figures import Figure
from bench.load import Load, copies
from bench.measure import Run, deliver
from bench.stand import Server

VIEWERS = 1_000


def busy_sse(contest: Contest) -> list[Figure]:
    """1,000 SSE viewers of one room, 1,000 events of 330 bytes a second for 10 s: a million deliveries a second."""
    return _room(contest, "busy-sse", "SSE", 1_000, 10_000, {"cpu": 0.6, "p99": 120})


def busy_socketio(contest: Contest) -> list[Figure]:
    """The same over Socket.IO: 1,000 viewers, 1,000 events a second for 10 s."""
    return _room(contest, "busy-socketio", "Socket.IO", 1_000, 10_000, {"cpu": 0.6, "p99": 150})


def quiet_sse(contest: Contest) -> list[Figure]:
    """1,000 SSE viewers of one room, 20 events a second for 15 s."""
    return _room(contest, "quiet-sse", "SSE", 20, 300, {"cpu": 11, "p50": 10, "p99": 30})


def quiet_socketio(contest: Contest) -> list[Figure]:
    """The same over Socket.IO: 1,000 viewers, 20 events a second for 15 s."""
    return _room(contest, "quiet-socketio", "Socket.IO", 20, 300, {"cpu": 14, "p50": 12, "p99": 40})


def _room(
    contest: Contest, scenario: str, wire: str, rate: float, events: int, targets: dict[str, float]
) -> list[Figure]:
    figures = {
        "cpu": Figure(scenario, "CPU per delivery", "µs"),
        "p50": Figure(scenario, "commit to receipt, p50", "ms"),
        "p99": Figure(scenario, "commit to receipt, p99", "ms"),
        "max": Figure(scenario, "commit to receipt, longest", "ms"),
        "share": Figure(scenario, "delivered once and in order", "%", target=100, at_least=True),
        "join": Figure(scenario, f"{VIEWERS:,} viewers joined", "s"),
    }
    for key, target in targets.items():
        figures[key].target = target
    for starting in contest.servers(wire):
        with starting as server:
            joined, run = _run(server, wire, rate, events)
        say(server.name, run)
        values = {
            "cpu": run.cpu_per_delivery * 1e6,
            "p50": run.percentile(50) * 1e3,
            "p99": run.percentile(99) * 1e3,
            "max": run.percentile(100) * 1e3,
            "share": run.share,
            "join": joined,
        }
        for key, value in values.items():
            if value == value:  # NaN: a server that delivered nothing has no latency
                figures[key].values[server.name] = value
            if run.doubts:
                figures[key].doubts[server.name] = ", ".join(run.doubts)
    return list(figures.values())


def _run(server: Server, wire: str, rate: float, events: int) -> tuple[float, Run]:
    task = server.task()
    with Load() as load:
        load.add(copies(server.room(wire, task), VIEWERS))
        joined = load.join_all()
        return joined, deliver(load, server, server.publisher([task], rate, events))


def memory(contest: Contest) -> list[Figure]:
    """The memory and CPU of a joined viewer without events."""
    figures = []
    for wire, target in (("SSE", None), ("Socket.IO", 60)):
        figure = Figure("memory", f"memory per idle viewer, {wire}, {VIEWERS:,} of them", "KB", target=target)
        for starting in contest.servers(wire):
            with starting as server, Load() as load:
                room = server.room(wire, server.task())
                load.add(copies(room, 20))  # the first viewers cause one-time costs
                load.join_all()
                before = proc.memory(server.pid)
                load.add(copies(room, VIEWERS))
                load.join_all()
                figure.values[server.name] = grown(load, server, before) / VIEWERS
        print("  ", figure.values, flush=True)
        figures.append(figure)
    return figures


def grown(load: Load, server: Server, before: int, seconds: float = 3.0) -> float:
    """Returns the server's growth in KB, after a quiet time."""
    load.run(lambda: False, seconds)
    return (proc.memory(server.pid) - before) / 1024


def say(name: str, run: Run) -> None:
    """Prints one line during the run."""
    print(
        f"  {name}: {run.cpu_per_delivery * 1e6:.2f} µs a delivery, p50 {run.percentile(50) * 1e3:.1f}, "
        f"p99 {run.percentile(99) * 1e3:.1f}, longest {run.percentile(100) * 1e3:.1f} ms, "
        f"{run.delivered:,} of {run.expected:,}, server {run.server_share:.0%} and client "
        f"{run.client_share:.0%} of a core",
        *(f"  ! {why}" for why in [*run.doubts, *run.faults[:3]]),
        sep="\n",
        flush=True,
    )
