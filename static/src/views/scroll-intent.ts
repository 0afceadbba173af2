interface Handlers {
  /** The user wants to see what is above. */
  up: () => void;
  /** The user has selected text, which must not move. */
  select: () => void;
  /** The user scrolls in any direction. */
  scroll: () => void;
  start: () => void;
  end: () => void;
}

const SCROLLING = ["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", " "];
const UP = ["ArrowUp", "PageUp", "Home"];

/** Calls back when the user begins to scroll or select, before the scroll event: new lines that come in between would
 * already have scrolled to the end. Returns a function that stops it. */
export function listenToScrolling(box: HTMLElement, { up, select, scroll, start, end }: Handlers): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  const passive = { passive: true, signal };
  const wheeled = (event: WheelEvent): void => {
    scroll();
    if (event.deltaY < 0) up();
  };
  const touched = (): void => {
    scroll();
    up();
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.target !== box || event.ctrlKey || event.metaKey || event.altKey) return;
    if (SCROLLING.includes(event.key)) scroll();
    if (UP.includes(event.key) || (event.key === " " && event.shiftKey)) up();
    // The browser scrolls there in several steps, and the end moves on meanwhile.
    if (event.key === "Home" || event.key === "End") {
      event.preventDefault();
      if (event.key === "Home") start();
      else end();
    }
  };
  const selected = (): void => {
    const selection = document.getSelection();
    if (selection && !selection.isCollapsed && box.contains(selection.anchorNode)) select();
  };
  box.addEventListener("wheel", wheeled, passive);
  box.addEventListener("touchmove", touched, passive);
  box.addEventListener("keydown", pressed, { signal });
  document.addEventListener("selectionchange", selected, { signal });
  return () => stop.abort();
}
