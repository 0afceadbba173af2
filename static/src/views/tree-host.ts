import type { ComponentType } from "preact";
import type { Approval } from "../client/types";
import type { Run } from "../state/run";

/** What a page can do with the tasks of its tree. */
export interface TreeHost {
  /** Watches one of them. */
  run: (taskId: string) => Run;
  /** Whether each has a page of its own that can be opened. */
  linked: boolean;
  /** Decides what one waits for; null where nobody may. */
  Approval: ComponentType<{ taskId: string; approval: Approval }> | null;
}
