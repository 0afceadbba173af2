import { effect } from "@preact/signals";
import { Component, createRef } from "preact";
import { BLOCK, LogStore } from "../state/log";
import { Heights } from "../state/log-heights";
import { times, wrap } from "../state/log-settings";
import { firstFrom, type LogSource } from "../state/log-source";
import type { LogScroller, LogView } from "../state/log-view";
import { Block } from "./log-block";
import { hear } from "./scroll-intent";
import { distance, firstInView, type Place } from "./scroll-anchor";

const LINE_PX = 20;
/** Drawn beyond the view, so that what comes into it has been measured. */
const BEYOND_PX = 400;
/** Blocks beyond those drawn that are loaded before they are needed. */
const AHEAD = 8;
const NEAR_END_PX = 24;
const SETTLE_STEPS = 10;

interface Props {
  source: LogSource;
  view: LogView;
}

/** The blocks in the page. */
interface Drawn {
  first: number;
  end: number;
}

/** The lines: the blocks in view and around it, between two spaces as tall as all the others. Whatever is loaded,
 * measured or let go, the line that somebody reads stays where it is, or the end does while it is followed. */
export class LogList extends Component<Props, Drawn> implements LogScroller {
  private readonly box = createRef<HTMLDivElement>();
  private readonly content = createRef<HTMLDivElement>();
  private readonly heights = new Heights(BLOCK * LINE_PX);
  private place: Place | null = null;
  /** The line to go to, and the block where it is looked for. */
  private target: { sequence: number; key: number } | null = null;
  private lastTop = 0;
  private look = "";
  private width = 0;
  private steps = 0;
  private readonly stops: (() => void)[] = [];

  constructor(props: Props) {
    super(props);
    const { source, view } = props;
    if (view.start !== null && !view.follow.value) this.aim(view.start);
    this.heights.span(source.first, source.end);
    this.state = this.around();
  }

  override componentDidMount(): void {
    const { source, view } = this.props;
    const box = this.box.current as HTMLDivElement;
    view.scroller = this;
    this.stops.push(
      effect(() => {
        source.version.value;
        this.draw();
      }),
      view.follow.subscribe((follow) => this.followed(follow)),
    );
    const sizes = new ResizeObserver(() => this.resized());
    sizes.observe(box);
    const wishes = {
      // Where nothing scrolls, nothing would ever take hold of the end again.
      up: () => box.scrollHeight > box.clientHeight && view.hold(),
      still: () => view.hold(),
      away: () => (this.target = null),
      start: () => view.toTop(),
      end: () => view.toEnd(),
    };
    this.stops.push(hear(box, wishes), () => sizes.disconnect());
    this.settle();
  }

  override componentWillUnmount(): void {
    for (const stop of this.stops) stop();
    if (this.props.view.scroller === this) this.props.view.scroller = null;
  }

  override componentDidUpdate(): void {
    this.settle();
  }

  override render() {
    const { source, view } = this.props;
    const { first, end } = this.state;
    const { heights } = this;
    const query = view.query.value;
    const range = view.range.value;
    const current = view.current.value;
    const keys = Array.from({ length: end - first }, (_, index) => first + index);
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
        <div style={{ height: `${heights.top(first)}px` }} />
        <div ref={this.content}>
          {keys.map((key) => {
            const lines = source.lines(key);
            const length = lines?.length ?? 0;
            return <Block {...{ key, number: key, lines, length, height: heights.height(key), query, range, current }} />;
          })}
        </div>
        <div style={{ height: `${Math.max(0, heights.total - heights.top(end))}px` }} />
      </div>
    );
  }

  show(sequence: number): void {
    this.aim(sequence);
    this.draw();
  }

  toTop(): void {
    this.target = this.place = null;
    const box = this.box.current;
    if (box) box.scrollTop = this.lastTop = 0;
    this.draw();
  }

  top(): number | null {
    const element = this.findPlace()?.element;
    const block = element?.parentElement;
    const index = [...(this.content.current?.children ?? [])].indexOf(block as Element);
    const lines = index < 0 ? null : this.props.source.lines(this.state.first + index);
    return lines?.[[...(block as Element).children].indexOf(element as Element)]?.sequence ?? null;
  }

  private aim(sequence: number): void {
    this.target = { sequence, key: this.props.source.keyOf(sequence) };
  }

  private followed(follow: boolean): void {
    if (!follow) {
      this.place = this.findPlace();
      return;
    }
    this.target = null;
    this.draw();
  }

  private draw(): void {
    const { source } = this.props;
    this.steps = 0;
    this.heights.span(source.first, source.end);
    // Lines may have come to blocks that are drawn already.
    this.setState(this.around());
    this.forceUpdate();
  }

  /** The blocks to draw: around the target, at the end, or where the page is scrolled to. */
  private around(): Drawn {
    const { source, view } = this.props;
    if (source.end === source.first) return { first: source.first, end: source.first };
    const { heights } = this;
    const box = this.box.current;
    const height = box?.clientHeight || 800;
    let top = box?.scrollTop ?? 0;
    if (this.target) top = heights.top(this.target.key);
    else if (view.follow.value) top = heights.total - height;
    else if (this.place) top = heights.top(this.place.key) + this.place.within;
    return { first: heights.find(top - BEYOND_PX), end: heights.find(top + height + BEYOND_PX) + 1 };
  }

  /** After every drawing: measures what is drawn, puts back what must not move, and draws again where that shows
   * that other blocks are in view. */
  private settle(): void {
    const box = this.box.current;
    if (!box) return;
    const { source, view } = this.props;
    this.measure();
    if (this.target) this.toTarget(box, this.target);
    else if (view.follow.value) box.scrollTop = box.scrollHeight;
    else if (this.place?.element.isConnected) this.putBack(box, this.place);
    this.lastTop = box.scrollTop;
    view.atEnd.value = this.isAtEnd(box);
    this.place = view.follow.value ? null : this.findPlace();
    const next = this.around();
    source.want(next.first - AHEAD, next.end + AHEAD);
    const { first, end } = this.state;
    if ((next.first !== first || next.end !== end) && this.steps++ < SETTLE_STEPS) this.setState(next);
  }

  private putBack(box: HTMLElement, { element, y }: Place): void {
    const moved = distance(element, box) - y;
    if (Math.abs(moved) < 1) return;
    // Where everything became shorter, the browser has already moved to the new end.
    const clamped = box.scrollTop < this.lastTop && box.scrollTop >= box.scrollHeight - box.clientHeight - 1;
    box.scrollTop = (clamped ? this.lastTop : box.scrollTop) + moved;
  }

  private isAtEnd(box: HTMLElement): boolean {
    const left = box.scrollHeight - box.scrollTop - box.clientHeight;
    return left < NEAR_END_PX && this.state.end === this.props.source.end;
  }

  private measure(): void {
    const { source } = this.props;
    const look = `${wrap.value} ${times.value} ${this.width}`;
    const before = this.heights.total;
    if (look !== this.look) this.heights.forget();
    this.look = look;
    for (const [index, block] of [...(this.content.current?.children ?? [])].entries()) {
      const key = this.state.first + index;
      if (source.lines(key)) this.heights.measured(key, block.getBoundingClientRect().height);
    }
    if (this.heights.total !== before) this.heights.reckon();
  }

  private toTarget(box: HTMLDivElement, target: { sequence: number; key: number }): void {
    const { source } = this.props;
    const near = source.nearest(target.sequence);
    if (!near) {
      this.target = null;
      return;
    }
    target.key = "key" in near ? near.key : source.keyOf(near.line.sequence);
    const block = this.content.current?.children[target.key - this.state.first];
    if ("key" in near || !block) {
      box.scrollTop = this.heights.top(target.key);
      return;
    }
    this.target = null;
    const at = firstFrom(source.lines(target.key) ?? [], near.line.sequence);
    const line = (block.children[at] as Element).getBoundingClientRect();
    const view = box.getBoundingClientRect();
    // A line that is in view already is looked at where it is.
    if (line.top >= view.top && line.bottom <= view.bottom) return;
    box.scrollTop += line.top - view.top - view.height / 3;
  }

  private findPlace(): Place | null {
    const { box, content } = this;
    if (!box.current || !content.current) return null;
    const hasLines = (key: number): boolean => Boolean(this.props.source.lines(key)?.length);
    return firstInView(box.current, content.current.children, this.state.first, hasLines);
  }

  private resized(): void {
    const box = this.box.current;
    if (!box) return;
    this.width = box.clientWidth;
    this.draw();
  }

  private readonly scrolled = (): void => {
    const box = this.box.current;
    if (!box) return;
    const { view } = this.props;
    const moved = box.scrollTop - this.lastTop;
    this.lastTop = box.scrollTop;
    const atEnd = this.isAtEnd(box);
    view.atEnd.value = atEnd;
    if (moved < 0 && !atEnd) view.hold();
    // The event of this page's own scrolling comes late, with nothing moved: it must not undo a hold made meanwhile.
    if (moved > 0 && atEnd && document.getSelection()?.isCollapsed !== false) {
      view.follow.value = true;
    }
    if (view.follow.value) return;
    this.place = this.findPlace();
    const next = this.around();
    if (next.first !== this.state.first || next.end !== this.state.end) this.draw();
  };
}
