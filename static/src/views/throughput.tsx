import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { count } from "../state/format";
import { Lazy } from "../state/lazy";
import { rates, type Point } from "../state/throughput";
import type { RateChart } from "./chart";

const chartCode = new Lazy(() => import("./chart"));

interface Props {
  points: readonly Point[];
  /** Milliseconds. */
  from: number;
  to: number;
}

const figure = (rate: number): string => (rate < 10 ? String(Number(rate.toFixed(1))) : count(Math.round(rate)));

/** The events of a run per second, as a curve and in words. The code of the curve is loaded when it is first shown. */
export function ThroughputChart({ points, from, to }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<RateChart | null>(null);
  const [hovered, hover] = useState<number | null>(null);
  const shown = useMemo(() => rates(points, from, to), [points, from, to]);
  const seconds = (to - from) / 1_000;

  const code = chartCode.value.value;
  useEffect(() => void chartCode.load(), []);
  useEffect(() => {
    if (!code) return;
    const made = new code.RateChart(box.current as HTMLElement, hover);
    setChart(made);
    return () => made.stop();
  }, [code]);
  useEffect(() => chart?.set(shown, seconds), [chart, shown, seconds]);

  const total = (points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0);
  const under = hovered === null ? undefined : shown.rate[hovered];
  const whole = `mean ${figure(total / seconds)} · peak ${figure(Math.max(...shown.rate))}`;
  const text = under !== undefined ? figure(under) : shown.rate.length > 0 ? whole : "";
  return (
    <figure class="throughput">
      <figcaption>
        Events per second <span class="number">{text}</span>
      </figcaption>
      <div ref={box} class="chart" role="img" aria-label={`Events per second over time, ${text}`} />
    </figure>
  );
}
