import { Component } from "preact";
import type { LogLine } from "../client/types";
import { BLOCK } from "../state/log-held";
import type { LineRange } from "../state/log-link";
import { isReplaced } from "../state/log-replaced";
import { sectionsBetween, type Section } from "../state/log-sections";
import type { Times } from "../state/log-settings";
import type { LogView } from "../state/log-view";
import { Line } from "./log-line";
import { SectionRow } from "./log-section";

/** What all blocks of a list have in common. */
export interface BlockLook {
  view: LogView;
  query: string;
  range: LineRange | null;
  current: number | null;
  times: Times;
  /** When the run began, in milliseconds. */
  start: number | null;
  /** Null where the list is filtered: it has no headers then, and nothing is folded. */
  sections: readonly Section[] | null;
  /** Another one with every change of what is folded. */
  hidden: unknown;
}

interface BlockProps extends BlockLook {
  number: number;
  /** Whether it is the first of the log: it has the headers of sections that began before it. */
  oldest: boolean;
  lines: readonly LogLine[] | null;
  /** A block changes only by new lines, of which one may take the place of another: so it is drawn again when its length or its last
   * sequence changes. */
  length: number;
  last: number;
  /** The lines around it, where they are here. */
  before: LogLine | null;
  after: LogLine | null;
  /** In pixels, while the lines are not here. */
  height: number;
}

export class Block extends Component<BlockProps> {
  override shouldComponentUpdate(next: BlockProps): boolean {
    const { props } = this;
    return (Object.keys(next) as (keyof BlockProps)[]).some(
      (name) => next[name] !== props[name] && (name !== "height" || next.lines === null),
    );
  }

  override render() {
    const { lines, height } = this.props;
    if (!lines) {
      return (
        <div class="block absent" style={{ height: `${height}px` }}>
          <p>Loading lines</p>
        </div>
      );
    }
    return <div class="block">{this.rows(lines)}</div>;
  }

  /** Returns the lines, and before them the headers of the sections that begin there. */
  private rows(lines: readonly LogLine[]) {
    const { number, oldest, view, sections, range, current, query, times, start, before, after } = this.props;
    const { folds } = view;
    const begins = sections ? sectionsBetween(sections, oldest ? 0 : number * BLOCK, (number + 1) * BLOCK) : [];
    const headers = begins.filter(({ first, last }) => !folds.hides(first) && last > number * BLOCK);
    const rows = [];
    let next = 0;
    const header = (section: Section) => <SectionRow key={`s${section.first}`} section={section} view={view} />;
    for (const [index, line] of lines.entries()) {
      const { sequence } = line;
      while (headers[next] && (headers[next] as Section).first < sequence) rows.push(header(headers[next++] as Section));
      if (sections && folds.hides(sequence)) continue;
      if (isReplaced(line, lines[index + 1] ?? after)) continue;
      const since = times === "line" ? (lines[index - 1] ?? before)?.timestamp : null;
      rows.push(
        <Line
          key={sequence}
          marked={range !== null && sequence >= range.from && sequence <= range.to}
          current={sequence === current}
          before={since ?? null}
          {...{ line, view, query, times, start }}
        />,
      );
    }
    return [...rows, ...headers.slice(next).map(header)];
  }
}
