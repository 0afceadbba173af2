import { useRef, useState } from "preact/hooks";
import type { RelatedRun } from "../client/related";
import type { Task } from "../client/types";
import { tickingServerNow } from "../state/clock";
import { barsOf, isApart, lastSuccess, usualText, type Bar } from "../state/earlier";
import { compareAddress, runAddress } from "../state/routes";
import "../style/earlier.css";
import { Link } from "./link";

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

/** The runs of the job type up to this one as bars, how long they usually take, and the way to compare with one. */
export function EarlierRuns({ task, runs }: { task: Task; runs: readonly RelatedRun[] | null }) {
  const now = tickingServerNow();
  const [at, look] = useState<string | null>(null);
  if (!runs || runs.length < 2) return null;
  // The page knows more of its own run than the list did.
  const bars = barsOf(
    runs.map((run) => (run.task_id === task.task_id ? { ...run, ...timesOf(task) } : run)),
    now,
  );
  const seen = bars.find(({ run }) => run.task_id === at);
  const success = lastSuccess(runs, task.task_id);
  return (
    <section class="earlier" aria-label="Earlier runs">
      <h2>Earlier runs</h2>
      <Strip bars={bars} apart={isApart(runs)} own={task.task_id} look={look} />
      <p class="number earlier-text" aria-live="off">
        {seen && seen.run.task_id !== task.task_id ? seen.text : usualText(task, now)}
      </p>
      <Link to={compareAddress(task.task_id, success?.task_id)}>
        {success ? "Compare with the last success" : "Compare with an earlier run"}
      </Link>
    </section>
  );
}

const timesOf = ({ status, started_at, finished_at }: Task) => ({ status, started_at, finished_at });

interface StripProps {
  bars: readonly Bar[];
  apart: boolean;
  /** The run of the page. */
  own: string;
  look: (taskId: string | null) => void;
}

/** One stop of the Tab key; the arrow keys go from bar to bar. */
function Strip({ bars, apart, own, look }: StripProps) {
  const list = useRef<HTMLOListElement>(null);
  const walk = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const links = [...(list.current?.querySelectorAll("a") ?? [])];
    const to = links.indexOf(document.activeElement as HTMLAnchorElement) + step;
    event.preventDefault();
    links[Math.max(0, Math.min(links.length - 1, to))]?.focus();
  };
  return (
    <ol class={apart ? "strip apart" : "strip"} ref={list} onKeyDown={walk} onMouseLeave={() => look(null)}>
      {bars.map(({ run, tone, height, cut, text }) => (
        <li key={run.task_id} onMouseEnter={() => look(run.task_id)} onFocusCapture={() => look(run.task_id)}>
          <Link
            to={runAddress(run.task_id)}
            class={cut ? `s-${tone} cut` : `s-${tone}`}
            title={text}
            aria-label={text}
            aria-current={run.task_id === own ? "page" : undefined}
            tabIndex={run.task_id === own ? 0 : -1}
          >
            <i style={{ height: `${height}%` }} />
          </Link>
        </li>
      ))}
    </ol>
  );
}
