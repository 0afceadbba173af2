"""Reports under the function names that older workers use.

``task_id`` must be the task that the caller runs in; otherwise they raise ValueError.
"""

from __future__ import annotations

from typing import Any

from taskroom import values
from taskroom.values import PHASE_STATUSES
from workers import current
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
    """Reports a phase. ``status`` is active, in_progress, completed or error; of in_progress at most ten a second are
    sent."""
    run = _run(task_id)
    known = values.status(status)
    if known is None:
        shown = values.text(status)[:100]
        run.warn_once("status", f"{shown!r} is no status of a phase; use one of {', '.join(PHASE_STATUSES)}")
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
    _run(task_id).log(message, level, component, phase)


def emit_task_status(
    task_id: str, is_running: bool, current_phase_message: str | None = None, current_phase: str | None = None
) -> None:
    """Reports the current phase. ``is_running=False`` has no effect: a task ends when its function returns."""
    run = _run(task_id)
    phase = values.name(current_phase) if current_phase else run.current_phase
    run.sink.status(phase, values.text(current_phase_message), None, None)


def publish_progress(job_id: str, progress: float, message: str) -> None:
    """Raises the overall progress, from 0 to 100; only the end of the task takes it above 99.9."""
    _run(job_id).progress(progress, message)


class ModernRealtimeEmitter:
    """The same functions as methods. The constructor ignores its arguments: older ones needed some."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    emit_phase_update = staticmethod(emit_phase_update)
    emit_phase_complete = staticmethod(emit_phase_complete)
    emit_log_event = staticmethod(emit_log_event)
    emit_task_status = staticmethod(emit_task_status)
    publish_progress = staticmethod(publish_progress)


def _run(task_id: str) -> Run:
    run = current.get()
    if run.id != task_id:
        raise ValueError(f"task {task_id} does not run here; {run.id} does")
    run.check()
    return run
