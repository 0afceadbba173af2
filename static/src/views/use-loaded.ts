import { useEffect, useState } from "preact/hooks";
import { Backoff } from "../client/backoff";
import { Problem } from "../client/problem";

/** Loads a value when `inputs` change, and again after a failure that passes. Returns the last one that came; null before the
 * first. A failure changes nothing, so this is for what a page can do without. `load` is null when there is nothing to load. */
export function useLoaded<T>(load: (() => Promise<T>) | null, inputs: readonly unknown[]): T | null {
  const [value, setValue] = useState<T | null>(null);
  useEffect(() => {
    const backoff = new Backoff();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stale = false;
    const ask = (): void => {
      load?.().then(
        (found) => stale || setValue(() => found),
        (error) => {
          if (!stale && error instanceof Problem && error.passes) timer = setTimeout(ask, backoff.next());
        },
      );
    };
    ask();
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [...inputs]);
  return value;
}
