import { useEffect, useState } from "preact/hooks";
import type { Problem } from "../client/problem";
import { RetryingRequest } from "../client/retryingRequest";

/** One failure may be chance; after the second one the reader is told. */
const FAILURES_SHOWN = 2;

interface Answer<T> {
  /** The last one that came; null before the first. */
  value: T | null;
  /** Why there is no newer one: the server refused it, or has failed twice. */
  problem: Problem | null;
}

const NOTHING = { value: null, problem: null };

/** Loads a value when `inputs` change, and again after a failure that passes; what is refused is not asked for again. `load` is
 * null when there is nothing to load. `everyMs`: so long after an answer the next one is asked for. */
export function useAnswer<T>(load: (() => Promise<T>) | null, inputs: readonly unknown[], everyMs: number | null = null): Answer<T> {
  const [answer, set] = useState<Answer<T>>(NOTHING);
  useEffect(() => {
    if (!load) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const told = (problem: Problem): void => set(({ value }) => ({ value, problem }));
    const request = new RetryingRequest(
      load,
      (value) => {
        set({ value, problem: null });
        if (everyMs !== null) timer = setTimeout(() => void request.send(), everyMs);
      },
      told,
      (problem, times) => {
        if (!problem.passes) request.stop(); // a session that has ended
        if (!problem.passes || times >= FAILURES_SHOWN) told(problem);
      },
    );
    void request.send();
    return () => {
      clearTimeout(timer);
      request.stop();
    };
  }, [...inputs]);
  return answer;
}

/** The value of `useAnswer`, where a page can do without: a failure changes nothing. */
export const useLoaded = <T>(load: (() => Promise<T>) | null, inputs: readonly unknown[]): T | null => useAnswer(load, inputs).value;
