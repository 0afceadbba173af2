import { Component } from "preact";
import type { LogLine } from "../client/types";
import { levelOf } from "../state/levels";
import { jsonOf } from "../state/log-json";
import type { Times } from "../state/log-settings";
import { isLate, timeText } from "../state/log-time";
import type { LogView } from "../state/log-view";
import { LineText } from "./ansi";
import { JsonLine } from "./log-json";

interface LineProps {
  line: LogLine;
  view: LogView;
  query: string;
  marked: boolean;
  current: boolean;
  times: Times;
  /** When the run began, in milliseconds. */
  start: number | null;
  /** The time of the line before, where it is needed. */
  before: string | null;
}

export class Line extends Component<LineProps> {
  override shouldComponentUpdate(next: LineProps): boolean {
    const { props } = this;
    return (Object.keys(next) as (keyof LineProps)[]).some((name) => next[name] !== props[name]);
  }

  override render() {
    const { line, view, query, marked, current, times, start, before } = this.props;
    const { kind, label } = levelOf(line.level);
    const late = times === "line" && isLate(line.timestamp, before);
    return (
      <div class={`line ${kind}${marked ? " marked" : ""}${current ? " current" : ""}`} data-at={line.sequence}>
        <a class="seq" href={`#L${line.sequence}`} tabIndex={-1}>
          {line.line ?? line.sequence}
        </a>
        <time class={late ? "late-line" : undefined} dateTime={line.timestamp} title={line.timestamp}>
          {times !== "off" && timeText(times, line.timestamp, start, before)}
        </time>
        <span class="level">{label}</span>
        <span class="text">
          {jsonOf(line) === undefined ? <LineText line={line} query={query} /> : <JsonLine {...{ line, query, view }} />}
        </span>
      </div>
    );
  }
}
