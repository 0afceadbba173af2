import type { LogFilter } from "../client/types";
import { go } from "../state/address";
import { copy } from "../state/clipboard";
import { isLevel } from "../state/levels";
import { formatLines } from "../state/log-link";
import type { LogView } from "../state/log-view";
import { withQuery } from "../state/url";

/** Reads the filter of the log from the address. */
export function logFilter(): LogFilter {
  const params = new URLSearchParams(location.search);
  const level = params.get("level") ?? "";
  return { level: isLevel(level) ? level : undefined, phase: params.get("phase") || undefined };
}

/** Writes the filter of the log to the address, so that the view can be shared. */
export function setLogFilter(filter: LogFilter): void {
  const params = new URLSearchParams(location.search);
  for (const name of ["level", "phase"] as const) {
    if (filter[name]) params.set(name, filter[name]);
    else params.delete(name);
  }
  go(withQuery(location.pathname, params) + location.hash);
}

/** Writes the marked lines to the address; "": none. */
export const markInAddress = (hash: string): void => go(location.pathname + location.search + hash, true);

/** Returns the address of the same log without a filter; beside a tree it names the step. */
export function withoutFilter(): string {
  const step = new URLSearchParams(location.search).get("step");
  return withQuery(location.pathname, new URLSearchParams(step ? { step } : {}));
}

/** Goes to a line and marks it, also when the filter hides it. `linked`: in the address too. */
export function goToLine(view: LogView, sequence: number, linked: boolean): void {
  const { level, phase } = view.filter.value;
  if (linked && (level || phase)) {
    go(`${withoutFilter()}#L${sequence}`);
    return;
  }
  const hash = view.mark(sequence, false);
  if (linked) markInAddress(hash);
  view.goTo(sequence);
}

/** Copies a link to the marked lines, else to the line that a search has found, else to the log. */
export async function copyLink(view: LogView): Promise<void> {
  const { current, range } = { current: view.current.value, range: view.range.value };
  const hash = range ? formatLines(range) : current !== null ? formatLines({ from: current, to: current }) : "";
  const link = location.origin + location.pathname + location.search + hash;
  await reportCopy(view, copy(link), "Link copied");
}

/** Shows whether the browser has allowed copying. */
export async function reportCopy(view: LogView, copied: Promise<boolean>, message: string): Promise<boolean> {
  const done = await copied;
  view.showMessage(done ? message : "The browser does not allow copying");
  return done;
}
