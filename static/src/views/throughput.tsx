import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { rates, type Point } from "../state/throughput";
import { RateChart } from "./chart";
import { count } from "../state/format";

interface Props {
  points: readonly Point[];
  /** Milliseconds. */
  from: number;
  to: number;
}

const figure = (rate: number): string => (rate < 10 ? String(Number(rate.toFixed(1))) : count(Math.round(rate)));

/** How fast the run's events came. The curve is for the eye; what it says is also in words. */
export function ThroughputChart({ points, from, to }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [chart, setChart] = useState<RateChart | null>(null);
  const [hovered, hover] = useState<number | null>(null);
  const shown = useMemo(() => rates(points, from, to), [points, from, to]);
  const seconds = (to - from) / 1_000;

  useEffect(() => {
    const made = new RateChart(box.current as HTMLElement, hover);
    setChart(made);
    return () => made.stop();
  }, []);
  useEffect(() => chart?.set(shown, seconds), [chart, shown, seconds]);

  const total = (points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0);
  const under = hovered === null ? undefined : shown.rate[hovered];
  const whole = `mean ${figure(total / seconds)} · peak ${figure(Math.max(...shown.rate))}`;
  const words = under !== undefined ? figure(under) : shown.rate.length > 0 ? whole : "";
  return (
    <figure class="throughput">
      <figcaption>
        Events per second <span class="number">{words}</span>
      </figcaption>
      <div ref={box} class="chart" role="img" aria-label={`Events per second over time, ${words}`} />
    </figure>
  );
}
