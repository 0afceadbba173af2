import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { axisLabel, STEPS } from "../state/axis";
import { colourOf } from "../state/colour";
import type { Rates } from "../state/throughput";
import "../style/chart.css";

const HEIGHT = 112;
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** Draws a curve of events per second in the colours of the page; `hovered` gets the bucket under the pointer. */
export class RateChart {
  private readonly plot: uPlot;
  private readonly resized: ResizeObserver;
  private readonly dark = matchMedia("(prefers-color-scheme: dark)");
  private readonly themed: MutationObserver;
  private colours = read();
  private seconds = 1;

  constructor(box: HTMLElement, hovered: (bucket: number | null) => void) {
    const axis = { stroke: () => this.colours.text, font: "12px system-ui, sans-serif", ticks: { show: false } };
    const grid = { stroke: () => this.colours.line, width: 1 };
    this.plot = new uPlot(
      {
        width: Math.max(1, box.clientWidth),
        height: HEIGHT,
        padding: [8, 8, 0, 0],
        legend: { show: false },
        cursor: { y: false, drag: { x: false, y: false, setScale: false }, points: { size: 6 } },
        scales: {
          x: { time: false, range: () => [0, this.seconds] },
          y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.05 : 1] },
        },
        axes: [
          {
            ...axis,
            grid: { show: false },
            size: 24,
            incrs: STEPS,
            space: 64,
            values: (_plot, splits) => splits.map((at) => this.label(at)),
          },
          { ...axis, grid, size: 44, space: 32, values: (_plot, splits) => splits.map((rate) => compact.format(rate)) },
        ],
        series: [
          {},
          {
            stroke: () => this.colours.curve,
            width: 1.5,
            fill: () => this.colours.area,
            points: { show: false },
          },
        ],
        hooks: { setCursor: [({ cursor }) => hovered(cursor.idx ?? null)] },
      },
      [[], []],
      box,
    );
    this.resized = new ResizeObserver(() => this.plot.setSize({ width: Math.max(1, box.clientWidth), height: HEIGHT }));
    this.resized.observe(box);
    this.dark.addEventListener("change", this.redraw);
    this.themed = new MutationObserver(this.redraw);
    this.themed.observe(document.documentElement, { attributes: true });
  }

  set(rates: Rates, seconds: number): void {
    this.seconds = Math.max(seconds, 0.001);
    this.plot.setData([rates.at, rates.rate]);
  }

  stop(): void {
    this.resized.disconnect();
    this.themed.disconnect();
    this.dark.removeEventListener("change", this.redraw);
    this.plot.destroy();
  }

  /** Returns the label of a tick; none close to the end, where it would be cut off. */
  private label(at: number): string {
    if (at > 0.95 * this.seconds) return "";
    return at === 0 ? "0" : axisLabel(at);
  }

  private readonly redraw = (): void => {
    this.colours = read();
    this.plot.redraw(false, true);
  };
}

const read = () => ({
  text: colourOf("var(--muted)"),
  line: colourOf("var(--line)"),
  curve: colourOf("var(--run)"),
  area: colourOf("color-mix(in oklch, var(--run) 14%, transparent)"),
});
