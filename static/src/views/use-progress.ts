import { useRef } from "preact/hooks";
import type { TaskState } from "../client/types";
import { tickingServerNow } from "../state/clock";
import { progressNow } from "../state/estimate";

/** Returns whole percent of the run, which grow with events and time, and within an attempt never go back; null where they
 * are not known. */
export function useProgress(state: TaskState): number | null {
  const { attempt } = state.task;
  const highest = useRef({ attempt, value: 0 });
  const value = progressNow(state, tickingServerNow());
  if (value === null) return null;
  if (highest.current.attempt !== attempt) highest.current = { attempt, value: 0 };
  return (highest.current.value = Math.max(highest.current.value, value));
}
