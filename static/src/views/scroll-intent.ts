interface Wishes {
  /** To see what is above. */
  up: () => void;
  /** To have what was selected stay. */
  still: () => void;
  /** To go anywhere by one's own hand. */
  away: () => void;
  start: () => void;
  end: () => void;
}

const SCROLLING = ["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", " "];
const UP = ["ArrowUp", "PageUp", "Home"];

/** Hears what somebody wants of a list at the very wish, not at the scrolling it causes: lines that come between would
 * already have pulled to the end. Returns how to stop that. */
export function hear(box: HTMLElement, { up, still, away, start, end }: Wishes): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  const quiet = { passive: true, signal };
  const wheeled = (event: WheelEvent): void => {
    away();
    if (event.deltaY < 0) up();
  };
  const touched = (): void => {
    away();
    up();
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.target !== box || event.ctrlKey || event.metaKey || event.altKey) return;
    if (SCROLLING.includes(event.key)) away();
    if (UP.includes(event.key) || (event.key === " " && event.shiftKey)) up();
    // The browser's own ways there take their time, and the end goes on meanwhile.
    if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      if (event.key === "Home") start();
      else end();
    }
  };
  const selected = (): void => {
    const selection = document.getSelection();
    if (selection && !selection.isCollapsed && box.contains(selection.anchorNode)) still();
  };
  box.addEventListener("wheel", wheeled, quiet);
  box.addEventListener("touchmove", touched, quiet);
  box.addEventListener("keydown", pressed, { signal });
  document.addEventListener("selectionchange", selected, { signal });
  return () => stop.abort();
}
