import { inBrowser, type Texts } from "./settings";

/** A page that the user has looked at. */
interface Visited {
  to: string;
  name: string;
  /** What it is, in small: the job type of a run. */
  about: string;
}

const MOST = 12;
/** A title may be long; the palette shows no more of it. */
const LONGEST = 200;

const slotOf = (userId: string): string => `taskroom.recent.${userId}`;

/** Returns the pages that the user looked at in this browser, the last one first. */
export function recentPages(userId: string, kept: Texts = inBrowser): readonly Visited[] {
  const text = kept.read(slotOf(userId));
  return text ? (JSON.parse(text) as Visited[]) : [];
}

/** Remembers that the user looks at a page. */
export function remember(userId: string, { to, name, about }: Visited, kept: Texts = inBrowser): void {
  const others = recentPages(userId, kept).filter((other) => other.to !== to);
  const page = { to, name: name.slice(0, LONGEST), about: about.slice(0, LONGEST) };
  kept.write(slotOf(userId), JSON.stringify([page, ...others].slice(0, MOST)));
}
