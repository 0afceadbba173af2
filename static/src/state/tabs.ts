/** What tabs of this browser agree on, by locks, which end with the tab that holds them. Browsers have none where a
 * page came without TLS from another machine; each tab is then on its own. */

const SEEN = "taskroom.seen";

/** Lets other tabs know while this one is in sight. */
export function tellWhenSeen(): void {
  const change = (): void => {
    if (!document.hidden) void navigator.locks?.request(SEEN, { mode: "shared" }, untilHidden);
  };
  document.addEventListener("visibilitychange", change);
  change();
}

const untilHidden = (): Promise<void> =>
  new Promise((hidden) => {
    const change = (): void => {
      if (!document.hidden) return;
      document.removeEventListener("visibilitychange", change);
      hidden();
    };
    document.addEventListener("visibilitychange", change);
    change();
  });

/** Whether a tab of this dashboard is in sight. */
export async function anySeen(): Promise<boolean> {
  if (!document.hidden || !navigator.locks) return !document.hidden;
  const { held } = await navigator.locks.query();
  return held?.some(({ name }) => name === SEEN) ?? false;
}

const LONGEST_DELAY_MS = 5_000;

/** Does it in one tab of all that are asked to within a few seconds. */
export function inOneTab(name: string, work: () => void): void {
  if (!navigator.locks) {
    if (!document.hidden) work();
    return;
  }
  void navigator.locks.request(`taskroom.${name}`, { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    work();
    await new Promise((done) => setTimeout(done, LONGEST_DELAY_MS));
  });
}
