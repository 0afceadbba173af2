import { useEffect, useMemo, useRef } from "preact/hooks";
import { serverNow } from "../client/serverClock";
import { isTerminal, type Task, type TaskState } from "../client/types";
import { api } from "../state/app";
import { now } from "../state/clock";
import { gantt } from "../state/gantt";
import type { PhaseRow } from "../state/phases";
import { Throughput } from "../state/throughput";
import { Gantt } from "./gantt";
import { ThroughputChart } from "./throughput";

interface Props {
  state: TaskState;
  rows: readonly PhaseRow[];
  tasks: readonly Task[];
  /** Whether events come live. */
  live: boolean;
  choose: (phaseId: string) => void;
}

/** The run over time: its phases, and its events per second. */
export function Timeline({ state, rows, tasks, live, choose }: Props) {
  const { task, sequence } = state;
  const over = isTerminal(task.status);
  const throughput = useMemo(() => new Throughput(task.task_id, api), [task.task_id]);
  const points = throughput.points.value;
  // Bars end where the curve does, at the last event: a bar that went on growing would say that the run goes on.
  const known = useRef(serverNow());
  known.current = Math.max(known.current, points.at(-1)?.[1] ?? 0);
  const at = over ? Date.parse(task.finished_at ?? task.created_at) : known.current;
  const chart = gantt(state, rows, tasks, at);
  useEffect(() => {
    // After each gap too, because this page has no samples of it.
    if (live || over) void throughput.load();
  }, [throughput, live, over]);
  useEffect(() => {
    if (live && !over) throughput.add(sequence, serverNow());
  }, [throughput, live, over, sequence, now.value]);
  if (!task.started_at && chart.rows.length === 0) return <p class="hint">Nothing has run yet.</p>;
  return (
    <>
      {chart.rows.length > 0 && <Gantt chart={chart} choose={choose} />}
      <ThroughputChart points={points} from={chart.from} to={chart.to} />
    </>
  );
}
