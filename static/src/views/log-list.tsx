import { effect } from "@preact/signals";
import { Component, createRef } from "preact";
import { BLOCK, LogStore } from "../state/log";
import { BlockHeights } from "../state/log-heights";
import { times, wrap } from "../state/log-settings";
import type { LogSource } from "../state/log-source";
import type { LogScroller, LogView } from "../state/log-view";
import { LogAim } from "./log-aim";
import { LogBlocks } from "./log-blocks";
import { firstInView, restoreAnchor, type ScrollAnchor } from "./scroll-anchor";
import { listenToScrolling } from "./scroll-intent";

const LINE_PX = 20;
/** Drawn beyond the view, so that blocks are measured before they come into view. */
const BEYOND_PX = 400;
/** Blocks beyond the drawn ones that are loaded in advance. */
const AHEAD = 8;
const NEAR_END_PX = 24;
const ADJUST_STEPS = 10;

interface Props {
  source: LogSource;
  view: LogView;
}

/** The range of blocks in the page. */
interface Drawn {
  first: number;
  end: number;
}

/** The lines of a log: the blocks in and around the view, between two spaces as high as all others. While blocks are loaded,
 * measured or dropped, the line that is read stays where it is, or the view stays at the end while that is followed. */
export class LogList extends Component<Props, Drawn> implements LogScroller {
  private readonly box = createRef<HTMLDivElement>();
  private readonly content = createRef<HTMLDivElement>();
  private readonly heights = new BlockHeights(BLOCK * LINE_PX);
  private readonly aim: LogAim;
  private readonly stops: (() => void)[] = [];
  private anchor: ScrollAnchor | null = null;
  private lastTop = 0;
  private layout = "";
  private width = 0;
  private steps = 0;

  constructor(props: Props) {
    super(props);
    const { source, view } = props;
    this.aim = new LogAim(source, this.heights, (key) => this.content.current?.children[key - this.state.first]);
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
        void source.version.value;
        this.draw();
      }),
      view.follow.subscribe((follow) => this.followChanged(follow)),
    );
    const sizes = new ResizeObserver(() => {
      this.width = box.clientWidth;
      this.draw();
    });
    sizes.observe(box);
    const handlers = {
      // Where nothing can scroll, nothing would follow the end again.
      up: () => box.scrollHeight > box.clientHeight && view.hold(),
      select: () => view.hold(),
      scroll: () => this.aim.drop(),
      start: () => view.toTop(),
      end: () => view.toEnd(),
    };
    this.stops.push(listenToScrolling(box, handlers), () => sizes.disconnect());
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
    const { source, view } = this.props;
    const { first, end } = this.state;
    const marks = { query: view.query.value, range: view.range.value, current: view.current.value };
    return (
      <div
        class={`lines${wrap.value === "on" ? " wrap" : ""}${times.value === "on" ? " times" : ""}`}
        ref={this.box}
        role="group"
        aria-label="Lines"
        tabIndex={0}
        onScroll={this.scrolled}
      >
        {source instanceof LogStore && source.oldest > 1 && first === source.first && (
          <p class="note">Older lines were pruned.</p>
        )}
        <LogBlocks {...{ source, first, end, ...marks }} heights={this.heights} content={this.content} />
      </div>
    );
  }

  show(sequence: number): void {
    this.aim.to(sequence);
    this.draw();
  }

  toTop(): void {
    this.anchor = null;
    this.aim.drop();
    const box = this.box.current;
    if (box) box.scrollTop = this.lastTop = 0;
    this.draw();
  }

  top(): number | null {
    const element = this.findAnchor()?.element;
    const block = element?.parentElement;
    const index = [...(this.content.current?.children ?? [])].indexOf(block as Element);
    const lines = index < 0 ? null : this.props.source.lines(this.state.first + index);
    return lines?.[[...(block as Element).children].indexOf(element as Element)]?.sequence ?? null;
  }

  private followChanged(follow: boolean): void {
    if (!follow) {
      this.anchor = this.findAnchor();
      return;
    }
    this.aim.drop();
    this.draw();
  }

  private draw(): void {
    const { source } = this.props;
    this.steps = 0;
    this.heights.span(source.first, source.end);
    // Also when the blocks stay the same: they may have new lines.
    this.setState(this.wantedBlocks());
    this.forceUpdate();
  }

  /** Returns the blocks to draw: around the target, at the end, or at the scroll position. */
  private wantedBlocks(): Drawn {
    const { source, view } = this.props;
    if (source.end === source.first) return { first: source.first, end: source.first };
    const { heights } = this;
    const box = this.box.current;
    const height = box?.clientHeight || 800;
    let top = box?.scrollTop ?? 0;
    if (this.aim.key !== null) top = heights.top(this.aim.key);
    else if (view.follow.value) top = heights.total - height;
    else if (this.anchor) top = heights.top(this.anchor.key) + this.anchor.within;
    return { first: heights.find(top - BEYOND_PX), end: heights.find(top + height + BEYOND_PX) + 1 };
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
    this.anchor = view.follow.value ? null : this.findAnchor();
    const next = this.wantedBlocks();
    source.want(next.first - AHEAD, next.end + AHEAD);
    const { first, end } = this.state;
    if ((next.first !== first || next.end !== end) && this.steps++ < ADJUST_STEPS) this.setState(next);
  }

  private isAtEnd(box: HTMLElement): boolean {
    const left = box.scrollHeight - box.scrollTop - box.clientHeight;
    return left < NEAR_END_PX && this.state.end === this.props.source.end;
  }

  private measure(): void {
    const layout = `${wrap.value} ${times.value} ${this.width}`;
    const before = this.heights.total;
    if (layout !== this.layout) this.heights.forget();
    this.layout = layout;
    for (const [index, block] of [...(this.content.current?.children ?? [])].entries()) {
      const key = this.state.first + index;
      if (this.props.source.lines(key)) this.heights.measured(key, block.getBoundingClientRect().height);
    }
    if (this.heights.total !== before) this.heights.reckon();
  }

  private findAnchor(): ScrollAnchor | null {
    const { box, content } = this;
    if (!box.current || !content.current) return null;
    const hasLines = (key: number): boolean => Boolean(this.props.source.lines(key)?.length);
    return firstInView(box.current, content.current.children, this.state.first, hasLines);
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
    if (moved > 0 && atEnd && document.getSelection()?.isCollapsed !== false) view.follow.value = true;
    if (view.follow.value) return;
    this.anchor = this.findAnchor();
    const next = this.wantedBlocks();
    if (next.first !== this.state.first || next.end !== this.state.end) this.draw();
  };
}
