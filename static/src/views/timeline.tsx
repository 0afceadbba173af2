import { useEffect, useMemo, useRef } from "preact/hooks";
import { serverNow } from "../client/serverClock";
import { isTerminal, type Task, type TaskState } from "../client/types";
import { api, now } from "../state/app";
import { gantt } from "../state/gantt";
import type { PhaseRow } from "../state/phases";
import { Throughput } from "../state/throughput";
import { Gantt } from "./gantt";
import { ThroughputChart } from "./throughput";

interface Props {
  state: TaskState;
  rows: readonly PhaseRow[];
  tasks: readonly Task[];
  /** Whether events are heard as they come. */
  live: boolean;
  choose: (phaseId: string) => void;
}

/** The run over time: when what ran, and how fast. */
export function Timeline({ state, rows, tasks, live, choose }: Props) {
  const { task, sequence } = state;
  const over = isTerminal(task.status);
  const throughput = useMemo(() => new Throughput(task.task_id, api), [task.task_id]);
  const points = throughput.points.value;
  // Bars end where the curve does, at what was heard last: ones that went on growing would say that it still runs.
  const known = useRef(serverNow());
  known.current = Math.max(known.current, points.at(-1)?.[1] ?? 0);
  const at = over ? Date.parse(task.finished_at ?? task.created_at) : known.current;
  const chart = gantt(state, rows, tasks, at);
  useEffect(() => {
    // After each gap too: what came meanwhile came at a pace that nobody saw here.
    if (live || over) void throughput.load();
  }, [throughput, live, over]);
  useEffect(() => {
    if (live && !over) throughput.seen(sequence, serverNow());
  }, [throughput, live, over, sequence, now.value]);
  if (!task.started_at && chart.rows.length === 0) return <p class="hint">Nothing has run yet.</p>;
  return (
    <>
      {chart.rows.length > 0 && <Gantt chart={chart} choose={choose} />}
      <ThroughputChart points={points} from={chart.from} to={chart.to} />
    </>
  );
}
