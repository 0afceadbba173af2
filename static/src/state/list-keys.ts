/** What a key means to a list that opens, after the ARIA pattern of a select-only combobox:
 * https://www.w3.org/WAI/ARIA/apg/patterns/combobox/examples/combobox-select-only/ */
type KeyMeaning = "close" | "take" | { show: number };

interface Keys {
  key: string;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
}

/** The list as it is: its names, which one is marked (closed: which one is chosen), and whether it is open. */
export interface OpenList {
  names: readonly string[];
  at: number;
  open: boolean;
}

/** Keys typed within this time are the beginning of one name. */
const TYPED_MS = 700;
const PAGE = 10;

/** Reads the keys pressed at one list: it knows what was typed just before. */
export class ListKeys {
  private text = "";
  private typedAt = -Infinity;

  /** Null for a key that is none of the list's. */
  meaning({ key, altKey, ctrlKey, metaKey }: Keys, list: OpenList, now: number): KeyMeaning | null {
    if (ctrlKey || metaKey) return null;
    const { names, at, open } = list;
    if (key.length === 1 && !altKey) return this.typed(key.toLowerCase(), list, now);
    this.text = "";
    if (altKey) return key === "ArrowDown" ? { show: at } : key === "ArrowUp" && open ? "take" : null;
    const last = names.length - 1;
    switch (key) {
      case "ArrowDown":
        return { show: open ? Math.min(last, at + 1) : at };
      case "ArrowUp":
        return { show: open ? Math.max(0, at - 1) : 0 };
      case "Home":
        return { show: 0 };
      case "End":
        return { show: last };
      case "Enter":
        return open ? "take" : { show: at };
      case "Escape":
        return open ? "close" : null;
      case "PageUp":
        return open ? { show: Math.max(0, at - PAGE) } : null;
      case "PageDown":
        return open ? { show: Math.min(last, at + PAGE) } : null;
      default:
        return null;
    }
  }

  private typed(key: string, { names, at, open }: OpenList, now: number): KeyMeaning {
    const before = now - this.typedAt < TYPED_MS ? this.text : "";
    const text = before + key;
    const begins = (begin: string, from = 0): number => {
      const order = names.map((_, n) => (from + n) % names.length);
      return order.find((n) => names[n]?.toLowerCase().startsWith(begin)) ?? -1;
    };
    // A space within a name that is being typed belongs to it.
    if (key === " " && !(before && begins(text) >= 0)) return open ? "take" : { show: at };
    this.text = text;
    this.typedAt = now;
    const same = text.length > 1 && [...text].every((one) => one === key);
    const whole = begins(text);
    // The same key again goes from one name that begins with it to the next.
    const found = whole < 0 && same ? begins(key, at + 1) : whole;
    return { show: found < 0 ? at : found };
  }
}
