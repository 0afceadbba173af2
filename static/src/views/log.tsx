import { Component, createRef } from "preact";
import { logDownload } from "../client/api";
import type { LogBlock } from "../state/log";
import type { Run } from "../state/run";
import { clock, count, withoutTerminalCodes } from "./format";
import { Trouble } from "./trouble";

/** Blocks of a hundred lines in the page at once. */
const DRAWN_BLOCKS = 20;
/** How far a window moves when its end is reached; less than a window, so that what is being read stays. */
const STEP = 10;
const NEAR_END_PX = 24;

const LEVELS: Record<string, [string, string]> = {
  DEBUG: ["debug", "DEBUG"],
  INFO: ["info", "INFO"],
  WARNING: ["warn", "WARN"],
  WARN: ["warn", "WARN"],
  ERROR: ["error", "ERROR"],
  CRITICAL: ["error", "CRIT"],
};

/** A block changes only by growing, so its length tells whether it must be drawn again. */
class Block extends Component<{ block: LogBlock; length: number }> {
  override shouldComponentUpdate(next: { block: LogBlock; length: number }): boolean {
    return next.block !== this.props.block || next.length !== this.props.length;
  }

  override render() {
    return (
      <div class="block">
        {this.props.block.lines.map((line) => {
          const [kind, name] = LEVELS[line.level] ?? ["info", line.level];
          return (
            <div key={line.sequence} class={`line ${kind}`}>
              <span class="seq">{line.sequence}</span>
              <time dateTime={line.timestamp}>{clock(line.timestamp)}</time>
              <span class="level">{name}</span>
              <span class="text">{withoutTerminalCodes(line.message)}</span>
            </div>
          );
        })}
      </div>
    );
  }
}

interface Props {
  run: Run;
  /** Read by the caller, so that each change of the log draws this again. */
  version: number;
}

interface State {
  /** The first block drawn while someone reads; null follows the end. */
  from: number | null;
  /** How many lines had come when the reading began. */
  read: number;
}

interface Anchor {
  element: Element;
  top: number;
}

export class Log extends Component<Props, State> {
  override state: State = { from: null, read: 0 };
  private readonly box = createRef<HTMLDivElement>();
  private lastTop = 0;

  override componentDidMount(): void {
    document.addEventListener("selectionchange", this.selected);
    this.toEnd();
  }

  override componentWillUnmount(): void {
    document.removeEventListener("selectionchange", this.selected);
  }

  /** Where the line at the top of the view stands now, so that lines coming or going above it do not move it. */
  override getSnapshotBeforeUpdate(): Anchor | null {
    const box = this.box.current;
    if (!box || this.state.from === null) return null;
    const edge = box.getBoundingClientRect().top;
    const blocks = [...box.querySelectorAll(".block")];
    const element = blocks.find((block) => block.getBoundingClientRect().bottom > edge);
    return element ? { element, top: element.getBoundingClientRect().top } : null;
  }

  override componentDidUpdate(_props: Props, _state: State, anchor: Anchor | null): void {
    const box = this.box.current;
    if (!box) return;
    if (this.state.from === null) this.toEnd();
    else if (anchor?.element.isConnected) {
      box.scrollTop += anchor.element.getBoundingClientRect().top - anchor.top;
      this.lastTop = box.scrollTop;
    }
  }

  override render() {
    const { run } = this.props;
    const { from, read } = this.state;
    const { blocks } = run.log.window(from, DRAWN_BLOCKS);
    const earlier = run.earlier.value;
    const unread = run.log.appended - read;
    return (
      <section class="log" aria-label="Log">
        <div
          class="lines"
          ref={this.box}
          tabIndex={0}
          onScroll={this.scrolled}
          onWheel={(event) => event.deltaY < 0 && this.lookUp()}
          onKeyDown={(event) => ["ArrowUp", "PageUp", "Home"].includes(event.key) && this.lookUp()}
        >
          {this.hasEarlier(blocks) && (
            <button type="button" class="earlier" disabled={earlier.kind === "loading"} onClick={this.loadEarlier}>
              Load earlier
            </button>
          )}
          {earlier.kind === "failed" && <Trouble problem={earlier.problem} />}
          {blocks.length === 0 && <p class="empty">No log lines yet.</p>}
          {blocks.map((block) => (
            <Block key={block.key} block={block} length={block.lines.length} />
          ))}
        </div>
        {from !== null && (
          <button type="button" class="pill" onClick={this.follow}>
            ↓ {unread > 0 ? `${count(unread)} new ${unread === 1 ? "line" : "lines"}` : "follow"}
          </button>
        )}
        <a class="whole" href={logDownload(run.taskId)} download>
          Whole log
        </a>
      </section>
    );
  }

  private hasEarlier(drawn: LogBlock[]): boolean {
    const { log } = this.props.run;
    return drawn.length > 0 && (log.hasEarlier || drawn[0] !== log.blocks[0]);
  }

  private readonly loadEarlier = (): void => {
    const { run } = this.props;
    const first = run.log.window(this.state.from, DRAWN_BLOCKS).blocks[0];
    const above = first ? run.log.blocks.indexOf(first) : 0;
    this.hold();
    if (above > 0) this.setState({ from: run.log.blocks[Math.max(0, above - STEP)]?.key ?? null });
    // Sequence 0 lies before every line: the window begins with whatever the page brings.
    else void run.loadEarlier().then(() => this.setState({ from: 0 }));
  };

  private readonly follow = (): void => this.setState({ from: null });

  /** Lets the end go: from now on the lines drawn are those drawn now and what follows them. */
  private hold(): void {
    if (this.state.from !== null) return;
    const { log } = this.props.run;
    const first = log.window(null, DRAWN_BLOCKS).blocks[0];
    if (first) this.setState({ from: first.key, read: log.appended });
  }

  /** At the very wish, not at the scrolling it causes: lines that come between would already have pulled to the end. */
  private lookUp(): void {
    const box = this.box.current;
    // Where nothing scrolls, nothing would ever take hold of the end again.
    if (box && box.scrollHeight > box.clientHeight) this.hold();
  }

  private readonly scrolled = (): void => {
    const box = this.box.current;
    if (!box) return;
    const moved = box.scrollTop - this.lastTop;
    this.lastTop = box.scrollTop;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
    if (moved < 0 && !atEnd) this.hold();
    // The event of this page's own scrolling comes late, with nothing moved: it must not undo a hold made meanwhile.
    if (moved <= 0 || !atEnd || this.state.from === null) return;
    const { log } = this.props.run;
    const { blocks, more } = log.window(this.state.from, DRAWN_BLOCKS);
    if (!more) this.follow();
    else this.setState({ from: blocks[STEP]?.key ?? null });
  };

  private readonly selected = (): void => {
    const selection = document.getSelection();
    if (selection && !selection.isCollapsed && this.box.current?.contains(selection.anchorNode)) this.hold();
  };

  private toEnd(): void {
    const box = this.box.current;
    if (!box) return;
    box.scrollTop = box.scrollHeight;
    this.lastTop = box.scrollTop;
  }
}
