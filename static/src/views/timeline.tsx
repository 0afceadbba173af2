import { useEffect, useMemo, useRef } from "preact/hooks";
import { serverNow } from "../client/http";
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
  const second = now.value;
  const known = useRef(serverNow());
  // Once a second and with each bar that begins: nobody sees one grow by less, or a curve.
  useMemo(() => {
    if (live) known.current = serverNow();
  }, [live, second, task.status, task.current_phase]);
  // What nobody hears of is not drawn: bars that went on growing would say that it still runs.
  const at = over ? Date.parse(task.finished_at ?? task.created_at) : known.current;
  const chart = gantt(state, rows, tasks, at);
  const throughput = useMemo(() => new Throughput(task.task_id, api), [task.task_id]);
  useEffect(() => {
    // After each gap too: what came meanwhile came at a pace that nobody saw here.
    if (live || over) void throughput.load();
  }, [throughput, live, over]);
  useEffect(() => {
    if (live && !over) throughput.seen(sequence, serverNow());
  }, [throughput, live, over, second]);
  if (!task.started_at && chart.rows.length === 0) return <p class="hint">Nothing has run yet.</p>;
  return (
    <>
      {chart.rows.length > 0 && <Gantt chart={chart} choose={choose} />}
      <ThroughputChart points={throughput.points.value} from={chart.from} to={chart.to} />
    </>
  );
}
