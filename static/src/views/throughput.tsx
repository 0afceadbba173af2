import { useMemo, useRef, useState } from "preact/hooks";
import { count } from "../state/format";
import { shareAt, type Axis } from "../state/phase-axis";
import { areaOf, rates, type Point } from "../state/throughput";
import { duration } from "../state/time";

/** An arrow key moves the log by so much of the run. */
const STEP = 0.02;

interface Props {
  points: readonly Point[];
  axis: Axis;
  /** Moves the log to a time (milliseconds). */
  scrub: (at: number) => void;
}

const figure = (rate: number): string => (rate < 10 ? String(Number(rate.toFixed(1))) : count(Math.round(rate)));

/** The events of a run per second, as a curve and in words. */
export function ThroughputChart({ points, axis, scrub }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const { from, to } = axis;
  const shown = useMemo(() => rates(points, from, to), [points, from, to]);
  const seconds = (to - from) / 1_000;
  const area = useMemo(() => areaOf(shown, seconds), [shown, seconds]);
  const bucket = at === null ? -1 : shown.at.findLastIndex((middle) => middle <= (at - from) / 1_000);
  const total = (points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0);
  const whole = `mean ${figure(total / seconds)} · peak ${figure(Math.max(...shown.rate))}`;
  const text = at === null ? whole : `${duration((at - from) / 1_000)} · ${figure(shown.rate[Math.max(0, bucket)] ?? 0)}/s`;

  const point = (event: PointerEvent): number => {
    const { left, width } = (box.current as HTMLElement).getBoundingClientRect();
    const share = Math.min(1, Math.max(0, (event.clientX - left) / width));
    return from + share * (to - from);
  };
  const move = (event: PointerEvent): void => {
    setAt(point(event));
    if (event.buttons & 1) scrub(point(event));
  };
  const press = (event: PointerEvent): void => {
    box.current?.setPointerCapture(event.pointerId);
    scrub(point(event));
  };
  const key = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const next = Math.min(to, Math.max(from, (at ?? to) + by * STEP * (to - from)));
    setAt(next);
    scrub(next);
  };
  return (
    <figure class="throughput">
      <div
        ref={box}
        class="chart"
        role="slider"
        tabIndex={0}
        aria-label="Time of the run; moves the log"
        aria-valuemin={0}
        aria-valuemax={Math.round(seconds)}
        aria-valuenow={Math.round(((at ?? to) - from) / 1_000)}
        aria-valuetext={`${duration(((at ?? to) - from) / 1_000)}, events per second: ${text}`}
        title="Drag to move the log"
        onPointerDown={press}
        onPointerMove={move}
        onPointerLeave={() => setAt(null)}
        onBlur={() => setAt(null)}
        onKeyDown={key}
      >
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
          <path d={area} />
        </svg>
        {at !== null && <i class="cursor" style={{ left: `${shareAt(axis, at)}%` }} />}
      </div>
      <div class="axis number" aria-hidden="true">
        {axis.ticks.map((tick) => (
          <span key={tick.label} style={{ left: `${tick.at}%` }}>
            {tick.label}
          </span>
        ))}
      </div>
      <figcaption>
        Events per second <span class="number">{text}</span>
      </figcaption>
    </figure>
  );
}
