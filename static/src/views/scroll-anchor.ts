/** What must not move: an element, and how far it is from the beginning of all. */
export interface Place {
  element: Element;
  y: number;
  /** The first block in view, and how far into that the view begins: right also when what is above turns out taller. */
  key: number;
  within: number;
}

/** How far an element is from the beginning of what scrolls in `box`, wherever that is scrolled to by now. */
export const distance = (element: Element, box: Element): number =>
  element.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop;

/** The first line in view; where there is none, the block that is. The blocks' keys count from `first`. */
export function firstInView(
  box: Element,
  blocks: HTMLCollection,
  first: number,
  hasLines: (key: number) => boolean,
): Place | null {
  const view = box.getBoundingClientRect();
  const below = (element: Element): boolean => element.getBoundingClientRect().bottom > view.top + 1;
  let found: Place | null = null;
  for (const [index, block] of [...blocks].entries()) {
    const key = first + index;
    if (!below(block)) continue;
    const { top } = block.getBoundingClientRect();
    if (top >= view.bottom) break;
    const line = hasLines(key) ? block.children[firstWhere(block.children, below)] : undefined;
    const element: Element = line ?? found?.element ?? block;
    found ??= { element, y: 0, key, within: view.top - top };
    found.element = element;
    found.y = distance(element, box);
    if (line) break;
  }
  return found;
}

/** The first index whose element passes, where all after one that passes do too. */
function firstWhere(elements: HTMLCollection, passes: (element: Element) => boolean): number {
  let low = 0;
  let high = elements.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (passes(elements[middle] as Element)) high = middle;
    else low = middle + 1;
  }
  return low;
}
