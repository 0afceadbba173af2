import type { ReadonlySignal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Problem } from "../client/problem";
import { RetryingRequest } from "../client/retryingRequest";

/** One failure may be chance; after the second one the reader is told. */
const FAILURES_SHOWN = 2;
/** Changes within this time cause one request. */
const SOON_MS = 2_000;

interface Answer<T> {
  /** The last one that came; null before the first. */
  value: T | null;
  /** Why there is no newer one: the server refused it, or has failed twice. */
  problem: Problem | null;
}

const NOTHING = { value: null, problem: null };

/** Loads a value when `inputs` change, and again after a failure that passes; what is refused is not asked for again. `load` is
 * null when there is nothing to load. `everyMs`: so long after an answer the next one is asked for. `changes`: soon after this has
 * changed it is asked for too; its first value that is not empty is no change. */
export function useAnswer<T>(
  load: (() => Promise<T>) | null,
  inputs: readonly unknown[],
  everyMs: number | null = null,
  changes: ReadonlySignal<unknown> | null = null,
): Answer<T> {
  const [answer, set] = useState<Answer<T>>(NOTHING);
  const soon = useRef<(() => void) | undefined>(undefined);
  useEffect(() => {
    if (!load) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let busy = true;
    let changed = false;
    const ask = (ms: number): void => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        busy = true;
        changed = false;
        void request.send();
      }, ms);
    };
    const told = (problem: Problem): void => set(({ value }) => ({ value, problem }));
    const request = new RetryingRequest(
      load,
      (value) => {
        set({ value, problem: null });
        busy = false;
        if (changed) ask(SOON_MS);
        else if (everyMs !== null) ask(everyMs);
      },
      told,
      (problem, times) => {
        if (!problem.passes) request.stop(); // a session that has ended
        if (!problem.passes || times >= FAILURES_SHOWN) told(problem);
      },
    );
    soon.current = () => {
      if (!busy && !changed) ask(SOON_MS);
      changed = true;
    };
    void request.send();
    return () => {
      clearTimeout(timer);
      request.stop();
      soon.current = undefined;
    };
  }, [...inputs]);
  useEffect(() => {
    let before = changes?.peek();
    return changes?.subscribe((now) => {
      if (before && now !== before) soon.current?.();
      before = now;
    });
  }, [changes]);
  return answer;
}

/** The value of `useAnswer`, where a page can do without: a failure changes nothing. */
export const useLoaded = <T>(load: (() => Promise<T>) | null, inputs: readonly unknown[]): T | null => useAnswer(load, inputs).value;
