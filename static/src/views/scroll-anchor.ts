import { firstIndex } from "../state/first-index";

/** The element that must not move in the view, and its distance from the top of the content. */
export interface ScrollAnchor {
  element: Element;
  y: number;
  /** The first block in view, and how far within it the view begins; valid also when the blocks above change their height. */
  key: number;
  within: number;
}

/** Returns the distance of an element from the top of what scrolls in `box`, wherever that is scrolled to. */
const distance = (element: Element, box: Element): number =>
  element.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop;

/** Finds the first line in view, else the first block. The keys of the blocks count from `first`. */
export function firstInView(
  box: Element,
  blocks: HTMLCollection,
  first: number,
  hasLines: (key: number) => boolean,
): ScrollAnchor | null {
  const view = box.getBoundingClientRect();
  const below = (element: Element): boolean => element.getBoundingClientRect().bottom > view.top + 1;
  let found: ScrollAnchor | null = null;
  for (const [index, block] of [...blocks].entries()) {
    const key = first + index;
    if (!below(block)) continue;
    const { top } = block.getBoundingClientRect();
    if (top >= view.bottom) break;
    const lines = block.children;
    const line = hasLines(key) ? lines[firstIndex(lines.length, (at) => below(lines[at] as Element))] : undefined;
    const element: Element = line ?? found?.element ?? block;
    found ??= { element, y: 0, key, within: view.top - top };
    found.element = element;
    found.y = distance(element, box);
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
