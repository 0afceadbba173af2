import type { Below } from "./observed";
import type { Approval, Task } from "./types";

/** A task below a run, as an outline shows it: the message of its error is cut. */
export interface TreeTask extends Task {
  /** Which step of its parent it is, from 1. */
  step: number | null;
  /** What it waits for. */
  approval: Approval | null;
  /** Its own children: `tasks` is 201 when there are more than 200. */
  children: ChildCounts;
  /** Of an orchestration: all steps that it was asked for. */
  steps: readonly PlannedStep[] | null;
}

interface ChildCounts {
  tasks: number;
  ended: number;
  failed: number;
}

export interface PlannedStep {
  job_type: string;
  title?: string | null;
}

/** Children of a task, and behind them the first of those below them, level by level. */
export interface TreePage {
  tasks: TreeTask[];
  next: string | null;
  /** On the first page. */
  below?: Below;
}
