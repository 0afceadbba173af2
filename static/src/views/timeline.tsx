import { useEffect, useMemo, useRef } from "preact/hooks";
import { serverNow } from "../client/serverClock";
import { isTerminal, type TaskState } from "../client/types";
import { go } from "../state/address";
import { api } from "../state/app";
import { now } from "../state/clock";
import { axisOf, type Axis } from "../state/phase-axis";
import type { PhaseRow } from "../state/phases";
import { sequenceAt, Throughput } from "../state/throughput";
import { ThroughputChart } from "./throughput";

interface Shared {
  throughput: Throughput;
  /** Null before anything has begun. */
  axis: Axis | null;
}

/** Returns the events of a run over time, and the axis that its phases share with them. `live`: events come live. */
export function useTimeline(state: TaskState, rows: readonly PhaseRow[], live: boolean): Shared {
  const { task, sequence } = state;
  const over = isTerminal(task.status);
  const throughput = useMemo(() => new Throughput(task.task_id, api), [task.task_id]);
  const points = throughput.points.value;
  // The axis ends with the last event: one that went on would say that the run does.
  const known = useRef(serverNow());
  known.current = Math.max(known.current, points.at(-1)?.[1] ?? 0);
  useEffect(() => {
    // After each gap too, because this page has no samples of it.
    if (live || over) void throughput.load();
  }, [throughput, live, over]);
  useEffect(() => {
    if (live && !over) throughput.add(sequence, serverNow());
  }, [throughput, live, over, sequence, now.value]);
  const at = over ? Date.parse(task.finished_at ?? task.created_at) : known.current;
  return { throughput, axis: axisOf(task, rows, at) };
}

/** The events per second below the phases; a pointer that is drawn along it moves the log to that time. */
export function Timeline({ throughput, axis }: Shared) {
  const points = throughput.points.value;
  if (!axis || points.length < 2) return null;
  const scrub = (at: number): void => {
    const sequence = sequenceAt(points, at);
    if (location.hash !== `#L${sequence}`) go(`${location.pathname}${location.search}#L${sequence}`, true);
  };
  return <ThroughputChart points={points} axis={axis} scrub={scrub} />;
}
