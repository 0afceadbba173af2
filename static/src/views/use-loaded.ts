import { useEffect, useState } from "preact/hooks";

/** Loads a value when `inputs` change. Returns the last one that came; null before the first. A failure changes nothing, so
 * this is for what a page can do without. `load` is null when there is nothing to load. */
export function useLoaded<T>(load: (() => Promise<T>) | null, inputs: readonly unknown[]): T | null {
  const [value, setValue] = useState<T | null>(null);
  useEffect(() => {
    let stale = false;
    load?.().then(
      (found) => stale || setValue(() => found),
      () => undefined,
    );
    return () => void (stale = true);
  }, [...inputs]);
  return value;
}
