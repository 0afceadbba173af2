import type { TaskState } from "../client/types";
import { tickingServerNow } from "../state/clock";
import { segmentsOf } from "../state/phase-bar";
import type { PhaseRow } from "../state/phases";
import { PhaseBar } from "./phase-bar";

interface Props {
  state: TaskState;
  rows: readonly PhaseRow[];
  /** Whole percent of the run; null where it is not known. */
  value: number | null;
  choose: (phaseId: string) => void;
}

/** The bar in the head of a run; it goes on between two events, as the phase that runs does. */
export const RunBar = ({ state: { task }, rows, value, choose }: Props) => (
  <PhaseBar segments={segmentsOf(task, rows, value, tickingServerNow())} value={value} label="Overall progress" choose={choose} />
);
