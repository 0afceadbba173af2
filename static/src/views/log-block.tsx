import { Component } from "preact";
import type { LogLine } from "../client/types";
import { count } from "../state/format";
import { levelOf } from "../state/levels";
import { BLOCK } from "../state/log";
import type { LineRange } from "../state/log-link";
import { clock } from "../state/time";
import { LineText } from "./ansi";

interface LineProps {
  line: LogLine;
  query: string;
  marked: boolean;
  current: boolean;
}

class Line extends Component<LineProps> {
  override shouldComponentUpdate({ line, query, marked, current }: LineProps): boolean {
    const { props } = this;
    return line !== props.line || query !== props.query || marked !== props.marked || current !== props.current;
  }

  override render() {
    const { line, query, marked, current } = this.props;
    const { kind, label } = levelOf(line.level);
    return (
      <div class={`line ${kind}${marked ? " marked" : ""}${current ? " current" : ""}`}>
        <a class="seq" href={`#L${line.sequence}`} tabIndex={-1}>
          {line.sequence}
        </a>
        <time dateTime={line.timestamp} title={line.timestamp}>
          {clock(line.timestamp)}
        </time>
        <span class="level">{label}</span>
        <span class="text">
          <LineText line={line} query={query} />
        </span>
      </div>
    );
  }
}

interface BlockProps {
  number: number;
  lines: readonly LogLine[] | null;
  /** A block changes only by new lines, so it is drawn again when its length changes. */
  length: number;
  /** In pixels, while the lines are not here. */
  height: number;
  query: string;
  range: LineRange | null;
  current: number | null;
}

export class Block extends Component<BlockProps> {
  override shouldComponentUpdate(next: BlockProps): boolean {
    const { props } = this;
    return (
      next.lines !== props.lines ||
      next.length !== props.length ||
      next.query !== props.query ||
      next.range !== props.range ||
      next.current !== props.current ||
      (next.lines === null && next.height !== props.height)
    );
  }

  override render() {
    const { number, lines, height, query, range, current } = this.props;
    if (!lines) {
      return (
        <div class="block absent" style={{ height: `${height}px` }}>
          <p>
            Loading lines {count(number * BLOCK + 1)} to {count((number + 1) * BLOCK)}
          </p>
        </div>
      );
    }
    return (
      <div class="block">
        {lines.map((line) => (
          <Line
            key={line.sequence}
            line={line}
            query={query}
            marked={range !== null && line.sequence >= range.from && line.sequence <= range.to}
            current={line.sequence === current}
          />
        ))}
      </div>
    );
  }
}
