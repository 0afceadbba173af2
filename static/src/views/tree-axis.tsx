import type { ComponentChildren } from "preact";
import { axisLabel, stepFor } from "../state/axis";
import { tickingServerNow } from "../state/clock";
import type { Axis } from "../state/spans";

const MOST_TICKS = 5;
/** Percent from which on the label of a tick would be outside. */
const LAST = 92;

interface Props {
  /** What a row is called. */
  noun: string;
  axis: Axis;
  press: (event: KeyboardEvent) => void;
  children: ComponentChildren;
}

/** The grid of an outline. Bars find their place by its sizes, in seconds: only these change with the time, and no bar is
 * drawn again. */
export function OverTime({ noun, axis: { from, until, open }, press, children }: Props) {
  const seconds = ((open ? Math.max(until, tickingServerNow()) : until) - from) / 1_000;
  const step = stepFor(seconds, MOST_TICKS);
  return (
    <div class="tree" role="treegrid" aria-label="Steps" style={{ "--span": String(seconds), "--step": String(step) }} onKeyDown={press}>
      <Names noun={noun} seconds={seconds} step={step} />
      {children}
    </div>
  );
}

/** The names of the columns, and the times since the begin of the run. */
function Names({ noun, seconds, step }: { noun: string; seconds: number; step: number }) {
  const ticks = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, n) => n * step);
  return (
    <div class="tree-row tree-head" role="row">
      <span role="columnheader" class="t-name">
        {noun}
      </span>
      <span role="columnheader" class="t-words">
        State
      </span>
      <span role="columnheader" class="t-time number" aria-label="Time since the begin">
        {ticks.map((at) => (
          <i key={at} class={(100 * at) / seconds > LAST ? "last" : undefined} style={{ left: `${(100 * at) / seconds}%` }}>
            {at === 0 ? "0" : axisLabel(at)}
          </i>
        ))}
      </span>
      <span role="columnheader" class="t-took">
        Took
      </span>
      <span role="columnheader" class="t-open">
        <span class="hidden-text">Page</span>
      </span>
    </div>
  );
}
