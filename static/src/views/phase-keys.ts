import { useMemo, useRef } from "preact/hooks";
import { go } from "../state/address";
import type { Shortcut } from "../state/keys";
import { nextPhase, type PhaseRow } from "../state/phases";
import { withQuery } from "../state/url";

/** Filters the log by a phase, or by none, and shows the log. */
export function choosePhase(phaseId: string | null): void {
  const params = new URLSearchParams(location.search);
  if (phaseId === null) params.delete("phase");
  else params.set("phase", phaseId);
  go(withQuery(location.pathname, params), true);
}

/** Returns the shortcuts that choose the next and the previous phase. */
export function usePhaseKeys(rows: readonly PhaseRow[], chosen: string | null): readonly Shortcut[] {
  const latest = useRef({ rows, chosen });
  latest.current = { rows, chosen };
  return useMemo(() => {
    const step = (by: 1 | -1) => (): void => {
      const to = nextPhase(latest.current.rows, latest.current.chosen, by);
      if (to === null) return;
      choosePhase(to);
      document.querySelector(`[data-phase=${CSS.escape(to)}]`)?.scrollIntoView({ block: "nearest" });
    };
    return [
      { keys: "]", description: "Next phase", run: step(1) },
      { keys: "[", description: "Previous phase", run: step(-1) },
    ];
  }, []);
}
