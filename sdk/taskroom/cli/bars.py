"""A run in a terminal: a bar for each phase and one for the whole. Needs rich."""

from __future__ import annotations

import time
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from taskroom.cli.fold import State
from taskroom.cli.text import duration, error_text, harmless, is_retry, one_line, retry_text, seconds_between

RUNS_KNOWN = 3  # before it is said what is usual
WHOLE = ""  # the name of the bar of the whole; no phase has it
COLOURS = {"SUCCESS": "green", "FAILURE": "red", "REVOKED": "yellow"}
MARKS = {"completed": "done", "error": "failed"}


class Message(ProgressColumn):
    """The message of a bar. That of the whole is the time that is left, which passes between events too."""

    def render(self, task: Task) -> Text:
        until: float | None = task.fields["until"]
        if until is None:
            return Text(task.fields["message"])
        left = until - time.monotonic()
        return Text(f"{duration(left)} left" if left > 0 else "")


class Bars:
    """Redraws a few times a second, whatever comes in between."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, markup=False, emoji=False)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[counts]}", markup=False, justify="right"),
            Message(),
            console=self._console,
        )
        self._rows: dict[str, TaskID] = {}

    def begin(self, state: State) -> None:
        self._progress.start()
        self._draw(WHOLE, state)
        for name in state.phases:
            self._draw(name, state)

    def changed(self, type: str, state: State, event: dict[str, Any]) -> None:
        if "phase_id" in event:
            self._draw(event["phase_id"], state)
        if type == "task_status" and is_retry(event):
            self._console.print(retry_text(event), style="yellow", soft_wrap=True)  # it stays above the bars
        self._draw(WHOLE, state)

    def end(self, state: State) -> None:
        self._draw(WHOLE, state)
        self._progress.stop()
        if not state.has_ended:
            return
        task = state.task
        took = (
            f" after {duration(seconds_between(task['started_at'], task['finished_at']))}"
            if task["started_at"]
            else ""
        )
        self._console.print(f"{task['status']}{took}", style=COLOURS[task["status"]])
        if task["error"]:
            self._console.print(harmless(task["error"].get("traceback") or "").rstrip(), soft_wrap=True)
            self._console.print(error_text(task["error"]), soft_wrap=True)

    def _draw(self, name: str, state: State) -> None:
        shown = whole(state) if name == WHOLE else _phase(state.phases[name])
        if name in self._rows:
            self._progress.update(self._rows[name], **shown)
        else:
            self._rows[name] = self._progress.add_task(**shown)


def whole(state: State) -> dict[str, Any]:
    """Returns what the bar of the whole run shows."""
    task = state.task
    known = task["progress_known"] is not False or task["status"] == "SUCCESS"
    eta = None if state.has_ended else task["eta_seconds"]
    return {
        "description": f"{one_line(task['title'])}  {task['status']}",
        "total": 100 if known or state.has_ended else None,  # None: the bar only shows that something is done
        "completed": task["progress"],
        "counts": f"{task['progress']:.0f}%" if known else "",
        "message": "longer than usual" if _is_longer(task) else "",
        "until": None if eta is None else time.monotonic() + eta,
    }


def _is_longer(task: dict[str, Any]) -> bool:
    """Whether a run that goes on has taken longer than the median of at least three earlier ones."""
    usual, since = task.get("usual"), task.get("attempt_started_at") or task["started_at"]
    if task["status"] != "STARTED" or not usual or usual["runs"] < RUNS_KNOWN or not since:
        return False
    return seconds_between(since, task["updated_at"]) > float(usual["seconds"])


def _phase(phase: dict[str, Any]) -> dict[str, Any]:
    total, done = phase["total_count"], phase["processed_count"]
    has_ended = phase["status"] in MARKS
    counts = f"{done:,}" if total is None else f"{done:,} of {total:,}"
    notes = [
        MARKS.get(phase["status"], ""),
        f"{phase['error_count']:,} failed" if phase["error_count"] else "",
    ]
    notes.append(one_line(phase["message"]))
    return {
        "description": f"  {one_line(phase['phase_id'])}",
        "total": max(total, 1) if total is not None else 1 if has_ended else None,
        "completed": done if total else int(phase["status"] == "completed"),
        "counts": counts if total is not None or done else "",
        "message": ", ".join(filter(None, notes)),
        "until": None,
    }
