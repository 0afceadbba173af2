/** Pixels between a list and its button, and between the list and the edges of the window. */
const GAP = 4;
const EDGE = 12;
const HIGHEST = 400;

/** Puts a list below its button, or above it where there is more room; returns whether the button is in the window. */
export function placeList(list: HTMLElement, button: HTMLElement): boolean {
  const { top, bottom, left, width } = button.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const below = clientHeight - bottom - GAP - EDGE;
  const above = top - GAP - EDGE;
  const up = below < Math.min(HIGHEST, list.scrollHeight) && above > below;
  const { style } = list;
  style.minWidth = `${width}px`;
  style.maxHeight = `${Math.min(HIGHEST, up ? above : below)}px`;
  style.left = `${Math.max(EDGE, Math.min(left, clientWidth - EDGE - list.offsetWidth))}px`;
  style.top = up ? "auto" : `${bottom + GAP}px`;
  style.bottom = up ? `${clientHeight - top + GAP}px` : "auto";
  return bottom > 0 && top < clientHeight;
}
