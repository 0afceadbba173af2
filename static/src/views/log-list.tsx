import { effect } from "@preact/signals";
import { Component, createRef, type ComponentChildren } from "preact";
import { LogStore } from "../state/log";
import { BLOCK } from "../state/log-held";
import { HiddenBlocks } from "../state/log-hidden";
import { BlockHeights, type BlockRange } from "../state/log-heights";
import { times, wrap } from "../state/log-settings";
import { shownKeys, type LogSource } from "../state/log-source";
import type { LogScroller, LogView } from "../state/log-view";
import { LogAim } from "./log-aim";
import { LogBlocks } from "./log-blocks";
import { LogRail } from "./log-rail";
import { firstInView, measureBlocks, restoreAnchor, type ScrollAnchor } from "./scroll-anchor";
import { listenToScrolling } from "./scroll-intent";

const LINE_PX = 20;
/** Blocks beyond the drawn ones that are loaded in advance. */
const AHEAD = 8;
const NEAR_END_PX = 24;
const ADJUST_STEPS = 10;

interface Props {
  source: LogSource;
  view: LogView;
  /** When the run began, in milliseconds. */
  start: number | null;
  /** Below the last line. */
  children: ComponentChildren;
}

/** The lines of a log: the blocks in and around the view, between two spaces as high as all others. While blocks are loaded,
 * measured or dropped, the line that is read stays where it is, or the view stays at the end while that is followed. */
export class LogList extends Component<Props, BlockRange> implements LogScroller {
  private readonly box = createRef<HTMLDivElement>();
  private readonly content = createRef<HTMLDivElement>();
  private readonly heights = new BlockHeights(BLOCK * LINE_PX);
  private readonly aim: LogAim;
  private readonly stops: (() => void)[] = [];
  /** The blocks in the page: a range without those that are hidden. */
  private keys: number[] = [];
  private anchor: ScrollAnchor | null = null;
  private lastTop = 0;
  private readonly hidden: HiddenBlocks;
  private width = 0;
  private steps = 0;

  constructor(props: Props) {
    super(props);
    const { source, view } = props;
    this.hidden = new HiddenBlocks(source, view.folds, this.heights);
    this.aim = new LogAim(source, this.heights, (key) => this.content.current?.children[this.keys.indexOf(key)]);
    if (view.start !== null && !view.follow.value) this.aim.to(view.start);
    this.heights.span(source.first, source.end);
    this.state = this.wantedBlocks();
  }

  override componentDidMount(): void {
    const { source, view } = this.props;
    const box = this.box.current as HTMLDivElement;
    view.scroller = this;
    this.stops.push(
      effect(() => {
        void [view.folds.hidden.value, source.version.value];
        this.draw();
      }),
      view.follow.subscribe((follow) => this.followChanged(follow)),
    );
    const sizes = new ResizeObserver(() => {
      this.width = box.clientWidth;
      this.draw();
    });
    sizes.observe(box);
    const stop = listenToScrolling(box, {
      // Where nothing can scroll, nothing would follow the end again.
      up: () => box.scrollHeight > box.clientHeight && view.hold(),
      select: () => view.hold(),
      scroll: () => this.aim.drop(),
      start: () => view.toTop(),
      end: () => view.toEnd(),
    });
    this.stops.push(stop, () => sizes.disconnect());
    this.adjust();
  }

  override componentWillUnmount(): void {
    for (const stop of this.stops) stop();
    if (this.props.view.scroller === this) this.props.view.scroller = null;
  }

  override componentDidUpdate(): void {
    this.adjust();
  }

  override render() {
    const { source, view, start, children } = this.props;
    const { first, end } = this.state;
    this.keys = shownKeys(source, first, end, this.hidden.hasHeader);
    const whole = source instanceof LogStore;
    const look = { query: view.query.value, range: view.range.value, current: view.current.value };
    const structure = { sections: whole ? view.folds.sections.value : null, hidden: view.folds.hidden.value };
    return (
      <div class="lines-and-rail">
        <div
          class={`lines${wrap.value === "on" ? " wrap" : ""}${times.value === "off" ? "" : " times"}`}
          ref={this.box}
          role="group"
          aria-label="Lines"
          tabIndex={0}
          onScroll={this.scrolled}
        >
          {whole && source.oldest > 1 && first === source.first && <p class="note">Older lines were pruned.</p>}
          <LogBlocks
            {...{ source, end, view, ...look, ...structure }}
            times={times.value}
            start={start}
            keys={this.keys}
            heights={this.heights}
            content={this.content}
          />
          {children}
        </div>
        {whole && <LogRail view={view} source={source} heights={this.heights} box={this.box} />}
      </div>
    );
  }

  show(sequence: number): void {
    this.aim.to(sequence);
    this.draw();
    // In a low window the page itself scrolls.
    this.box.current?.scrollIntoView({ block: "nearest" });
  }

  toTop(): void {
    this.anchor = null;
    this.aim.drop();
    const box = this.box.current;
    if (box) box.scrollTop = this.lastTop = 0;
    this.draw();
  }

  top = (): number | null => this.findAnchor()?.sequence ?? null;

  private followChanged(follow: boolean): void {
    if (!follow) {
      this.anchor = this.findAnchor();
      return;
    }
    this.aim.drop();
    this.draw();
  }

  draw(): void {
    const { source } = this.props;
    this.steps = 0;
    // The line that was kept in its place may be among those that go.
    if (this.hidden.update() && !this.props.view.follow.value) this.anchor = this.findAnchor();
    this.heights.span(source.first, source.end);
    // Also when the blocks stay the same: they may have new lines.
    this.setState(this.wantedBlocks());
    this.forceUpdate();
  }

  /** Returns the blocks to draw: around the target, at the end, or at the scroll position. */
  private wantedBlocks(): BlockRange {
    const { source, view } = this.props;
    if (source.end === source.first) return { first: source.first, end: source.first };
    const { heights } = this;
    const box = this.box.current;
    const height = box?.clientHeight || 800;
    let top = box?.scrollTop ?? 0;
    if (this.aim.key !== null) top = heights.top(this.aim.key);
    else if (view.follow.value) top = heights.total - height;
    else if (this.anchor) top = heights.top(this.anchor.key) + this.anchor.within;
    return heights.around(top, height);
  }

  /** Runs after every drawing: measures the blocks, restores the position, and draws again where other blocks are in view
   * then. */
  private adjust(): void {
    const box = this.box.current;
    if (!box) return;
    const { source, view } = this.props;
    this.measure();
    if (this.aim.key !== null) this.aim.approach(box);
    else if (view.follow.value) box.scrollTop = box.scrollHeight;
    else {
      if (this.anchor?.element.isConnected) restoreAnchor(box, this.anchor, this.lastTop);
      this.aim.keep(box);
    }
    this.lastTop = box.scrollTop;
    view.atEnd.value = this.isAtEnd(box);
    this.look();
    const next = this.wantedBlocks();
    source.want(next.first - AHEAD, next.end + AHEAD);
    const { first, end } = this.state;
    if ((next.first !== first || next.end !== end) && this.steps++ < ADJUST_STEPS) this.setState(next);
  }

  /** Keeps the first line in view as the one that must not move, unless the end is followed. */
  private look(): void {
    const { view } = this.props;
    const anchor = this.findAnchor();
    this.anchor = view.follow.value ? null : anchor;
    view.top.value = anchor?.sequence ?? null;
  }

  private isAtEnd(box: HTMLElement): boolean {
    const left = box.scrollHeight - box.scrollTop - box.clientHeight;
    return left < NEAR_END_PX && this.state.end === this.props.source.end;
  }

  private measure(): void {
    const { source } = this.props;
    this.heights.layOut(`${wrap.value} ${times.value} ${this.width}`);
    measureBlocks(this.heights, this.keys, this.content.current, (key) => source.lines(key) !== null);
  }

  private findAnchor(): ScrollAnchor | null {
    const { box, content } = this;
    const { source, view } = this.props;
    if (!box.current || !content.current) return null;
    const stays = (sequence: number): boolean => !(source instanceof LogStore && view.folds.hides(sequence));
    return firstInView(box.current, content.current.children, this.keys, (key) => source.lines(key) !== null, stays);
  }

  private readonly scrolled = (): void => {
    const box = this.box.current;
    if (!box) return;
    const { view } = this.props;
    const moved = box.scrollTop - this.lastTop;
    this.lastTop = box.scrollTop;
    const atEnd = this.isAtEnd(box);
    view.atEnd.value = atEnd;
    if (moved) this.aim.drop();
    if (moved < 0 && !atEnd) view.hold();
    // The event of a scroll by this page comes late, with nothing moved: it must not undo a hold made meanwhile.
    const follows = moved > 0 && atEnd && !view.endHidden && document.getSelection()?.isCollapsed !== false;
    if (follows) view.follow.value = true;
    this.look();
    if (view.follow.value) return;
    const next = this.wantedBlocks();
    if (next.first !== this.state.first || next.end !== this.state.end) this.draw();
  };
}
