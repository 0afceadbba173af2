import type { Snapshot, TaskEvent } from "./types";
import type { TaskSink } from "./watch";

/** The events that change the state of a task or of its phases: everything but its log. */
export const SUMMARY_TYPES = ["task_status", "phase_update", "phase_complete"];

/** Passes on the events of a task's summary; of the task and of each phase never an older one after a newer. */
export class TaskSummary implements TaskSink {
  private readonly last = new Map<unknown, number>();

  constructor(private readonly onEvent: (event: TaskEvent) => void) {}

  snapshot({ task, phases, sequence }: Snapshot): void {
    this.event({ ...task, type: "task_status", timestamp: task.updated_at, sequence });
    for (const phase of phases) this.event({ ...phase, type: "phase_update", timestamp: phase.updated_at, sequence });
  }

  event(event: TaskEvent): void {
    if (!SUMMARY_TYPES.includes(event.type)) return;
    const subject = event.type === "task_status" ? null : event.phase_id;
    if (event.sequence <= (this.last.get(subject) ?? -1)) return;
    this.last.set(subject, event.sequence);
    this.onEvent(event);
  }

  progress(): void {
    // A summary has no progress of its own.
  }
}
