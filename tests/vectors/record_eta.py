"""Writes ``eta.json``: nine real runs of each job of ``eta_jobs``, with the events of their phases and attempts.

Run by hand when the jobs change: ``python -m tests.vectors.record_eta``. It takes some minutes, since the runs do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

from tests.support.embedded import embedded_system
from tests.support.system import JOBS, User

FILE = Path(__file__).with_name("eta.json")
SHAPES = ("even", "front_loaded", "long_phase", "growing", "retries")
RUNS = 9  # of each shape: three that are known, then six that are estimated
SEED = 2026
STATUS = ("status", "attempt", "retry_count")
PHASE = ("phase_id", "status", "processed_count", "total_count", "eta_seconds", "duration_seconds")


def record(user: User) -> Iterator[dict[str, Any]]:
    """One after the other, so that none waits for another."""
    for shape, seed in product(SHAPES, range(SEED, SEED + RUNS)):
        task_id = user.start(f"eta_{shape}", seed=seed)
        assert user.finished(task_id, 120)["task"]["status"] == "SUCCESS"
        yield {"shape": shape, "seed": seed, "events": list(_events(user, task_id))}


def _events(user: User, task_id: str) -> Iterator[dict[str, Any]]:
    """Returns what an estimate needs of the events of phases and attempts."""
    for event in user.events(task_id):
        data = event["data"]
        if event["type"] == "task_status" and data["status"] in ("STARTED", "RETRY", "SUCCESS"):
            names = STATUS
        elif event["type"].startswith("phase_"):
            names = PHASE
        else:
            continue
        kept = {name: data[name] for name in names if data.get(name) is not None}
        yield {"type": event["type"], "timestamp": data["timestamp"], **kept}


def main() -> None:
    with embedded_system(TASKROOM_JOBS=f"{JOBS},tests.vectors.eta_jobs") as system, system.guest() as user:
        runs = [json.dumps(run, separators=(",", ":")) for run in record(user)]
    FILE.write_text("[\n" + ",\n".join(runs) + "\n]\n")
    print(f"{FILE.name}: {len(runs)} runs, {FILE.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
