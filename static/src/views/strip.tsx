import { useRef } from "preact/hooks";
import type { Bar } from "../state/earlier";
import { runAddress } from "../state/routes";
import "../style/earlier.css";
import { Link } from "./link";

const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };

interface Props {
  bars: readonly Bar[];
  apart: boolean;
  /** The run of the page, if it is the page of one. */
  own?: string;
  look: (taskId: string | null) => void;
}

/** Runs as bars, in the order of time. One stop of the Tab key; the arrow keys go from bar to bar. */
export function Strip({ bars, apart, own, look }: Props) {
  const list = useRef<HTMLOListElement>(null);
  const stop = own ?? bars.at(-1)?.run.task_id;
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
            tabIndex={run.task_id === stop ? 0 : -1}
          >
            <i style={{ height: `${height}%` }} />
          </Link>
        </li>
      ))}
    </ol>
  );
}
