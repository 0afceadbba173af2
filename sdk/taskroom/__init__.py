"""Live runs of any task: what its code reports here is on a page of Taskroom at once.

taskroom.instrument(celery_app)  # the tasks of a Celery application

with taskroom.run("train", title="ResNet", params={"depth": 50}) as run:
    for epoch in run.track(range(90), phase="epochs"):
        run.log(f"loss {loss:.3f}")
print(run.url)

``log``, ``phase``, ``group``, ``track`` and ``current`` report to the run that the calling code belongs to, and do
nothing outside of one.
"""

from __future__ import annotations

from taskroom.celery import instrument
from taskroom.errors import AttemptSuperseded, TaskCancelled
from taskroom.phases import Phase
from taskroom.runs import Run
from taskroom.script import run
from taskroom.words import current, group, log, phase, track

__all__ = [
    "AttemptSuperseded",
    "Phase",
    "Run",
    "TaskCancelled",
    "current",
    "group",
    "instrument",
    "log",
    "phase",
    "run",
    "track",
]
