"""The function names that older workers use, over workers.progress and nothing more.

``task_id`` must be the task that runs here: a worker reports its own task only.
"""

from __future__ import annotations

from typing import Any

from app.tasks.fold import PHASE_STATUSES
from workers import progress, values
from workers import run as runs
from workers.run import Run


def emit_phase_update(
    task_id: str,
    phase_id: str,
    status: str,
    message: str = "",
    processed_count: int | None = None,
    total_count: int | None = None,
    error_count: int = 0,
    eta_seconds: float | None = None,
) -> None:
    """``status`` is active, in_progress, completed or error. Repeated in_progress is thinned."""
    run = _run(task_id)
    run.check()
    known = values.status(status)
    if known is None:
        shown = values.text(status)[:100]
        run.note("status", f"{shown!r} is no status of a phase; use one of {', '.join(PHASE_STATUSES)}")
    phase_id, known = run.phase_name(phase_id), known or "in_progress"
    if known == "in_progress" and not run.due(
        phase_id, values.count(processed_count), values.count(total_count)
    ):
        return
    fields = {
        "phase_id": phase_id,
        "status": known,
        "message": message,
        "processed_count": processed_count,
        "total_count": total_count,
        "error_count": error_count,
        "eta_seconds": eta_seconds,
    }
    run.emit("phase_update", fields)


def emit_phase_complete(
    task_id: str,
    phase_id: str,
    processed_count: int | None = None,
    total_count: int | None = None,
    error_count: int = 0,
    duration_seconds: float | None = None,
) -> None:
    run = _run(task_id)
    run.check()
    run.emit(
        "phase_complete",
        {
            "phase_id": run.phase_name(phase_id),
            "processed_count": processed_count,
            "total_count": total_count,
            "error_count": error_count,
            "duration_seconds": duration_seconds,
        },
    )


def emit_log_event(
    task_id: str, level: str, message: str, component: str | None = None, phase: str | None = None
) -> None:
    _run(task_id)
    progress.log(message, level, component, phase)


def emit_task_status(
    task_id: str, is_running: bool, current_phase_message: str | None = None, current_phase: str | None = None
) -> None:
    """``is_running=False`` ends nothing: a task ends when its function does."""
    run = _run(task_id)
    run.check()
    phase = values.name(current_phase) if current_phase else run.current_phase
    run.status(phase, values.text(current_phase_message))


def publish_progress(job_id: str, progress: float, message: str) -> None:
    """Raises the overall progress, 0 to 100; the last tenth of a percent comes with the end of the task."""
    run = _run(job_id)
    run.check()
    run.set_progress(progress, message)


class ModernRealtimeEmitter:
    """The same as methods. Arguments that older constructors took are accepted and not needed."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    emit_phase_update = staticmethod(emit_phase_update)
    emit_phase_complete = staticmethod(emit_phase_complete)
    emit_log_event = staticmethod(emit_log_event)
    emit_task_status = staticmethod(emit_task_status)
    publish_progress = staticmethod(publish_progress)


def _run(task_id: str) -> Run:
    run = runs.current()
    if run.claim.task_id != task_id:
        raise ValueError(f"task {task_id} does not run here; {run.claim.task_id} does")
    return run
