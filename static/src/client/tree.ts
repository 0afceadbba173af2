import type { Below } from "./observed";
import type { Approval, Task } from "./types";

/** A task below a run, as an outline shows it: the message of its error is cut. */
export interface TreeTask extends Task {
  /** Which step of its parent it is, from 1. */
  step: number | null;
  /** What it waits for. */
  approval: Approval | null;
  /** When it asked for each approval, and when that was decided; not there of servers that are older than the field. */
  waits?: readonly (readonly [asked: string, decided: string | null])[];
  /** Its own children: `tasks` is 201 when there are more than 200. */
  children: ChildCounts;
  /** Of an orchestration: all steps that it was asked for. */
  steps: readonly PlannedStep[] | null;
  /** What comes after it, as its reporter knows it before any of it is sent. */
  ahead: readonly AheadPart[] | null;
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

/** Tasks of one name that come after a task. Those of the same step begin together. */
export interface AheadPart {
  step: number;
  job_type: string;
  /** The id that the first of them will have. */
  task_id?: string | null;
  count?: number;
  /** Whether it waits for all tasks that name the same. */
  chord?: boolean;
}

/** Children of a task, and behind them the first of those below them, level by level. */
export interface TreePage {
  tasks: TreeTask[];
  next: string | null;
  /** On the first page, as is what comes after the task itself. */
  below?: Below;
  ahead?: readonly AheadPart[] | null;
}
