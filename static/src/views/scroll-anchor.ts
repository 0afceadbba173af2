import { firstIndex } from "../state/first-index";
import type { BlockHeights } from "../state/log-heights";

/** The element that must not move in the view, and its distance from the top of the content. */
export interface ScrollAnchor {
  element: Element;
  y: number;
  /** The first block in view, and how far within it the view begins; valid also when the blocks above change their height. */
  key: number;
  within: number;
  /** Of the line, or of the header of a section; null of a block. */
  sequence: number | null;
}

/** Returns the distance of an element from the top of what scrolls in `box`, wherever that is scrolled to. */
const distance = (element: Element, box: Element): number =>
  element.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop;

const sequenceOf = (line: Element): number => Number(line.getAttribute("data-at"));

/** Finds the first line in view that stays, else the first block. */
export function firstInView(
  box: Element,
  blocks: HTMLCollection,
  keys: readonly number[],
  hasLines: (key: number) => boolean,
  stays: (sequence: number) => boolean,
): ScrollAnchor | null {
  const view = box.getBoundingClientRect();
  const below = (element: Element): boolean => element.getBoundingClientRect().bottom > view.top + 1;
  let found: ScrollAnchor | null = null;
  for (const [index, block] of [...blocks].entries()) {
    const key = keys[index];
    if (key === undefined || !below(block)) continue;
    const { top } = block.getBoundingClientRect();
    if (top >= view.bottom) break;
    const lines = hasLines(key) ? block.children : [];
    let at = firstIndex(lines.length, (index) => below(lines[index] as Element));
    while (lines[at] && !stays(sequenceOf(lines[at] as Element))) at++;
    const line = lines[at];
    const element: Element = line ?? found?.element ?? block;
    found ??= { element, y: 0, key, within: view.top - top, sequence: null };
    found.element = element;
    found.y = distance(element, box);
    found.sequence = sequenceOf(element) || null;
    if (line) break;
  }
  return found;
}

/** Scrolls so that an anchor is where it was; `lastTop` is the scroll position at that time. */
export function restoreAnchor(box: Element, { element, y }: ScrollAnchor, lastTop: number): void {
  const moved = distance(element, box) - y;
  if (Math.abs(moved) < 1) return;
  // Where the content has become shorter, the browser has already scrolled to the new end.
  const clamped = box.scrollTop < lastTop && box.scrollTop >= box.scrollHeight - box.clientHeight - 1;
  box.scrollTop = (clamped ? lastTop : box.scrollTop) + moved;
}

/** Scrolls an element to the upper third of the view; one that is in view already stays where it is. */
export function reveal(box: Element, element: Element): void {
  const line = element.getBoundingClientRect();
  const view = box.getBoundingClientRect();
  if (line.top < view.top || line.bottom > view.bottom) box.scrollTop += line.top - view.top - view.height / 3;
}

/** Measures the blocks in the page that have their lines. */
export function measureBlocks(
  heights: BlockHeights,
  keys: readonly number[],
  content: Element | null,
  isHere: (key: number) => boolean,
): void {
  const before = heights.total;
  for (const [index, block] of [...(content?.children ?? [])].entries()) {
    const key = keys[index];
    if (key !== undefined && isHere(key)) heights.measured(key, block.getBoundingClientRect().height);
  }
  if (heights.total !== before) heights.reckon();
}
