/** Coordinates the tabs of this browser by locks, which end with the tab that holds them. Browsers have no locks on a page
 * that came without TLS from another machine; each tab then acts alone. */

const VISIBLE = "taskroom.visible";

/** Holds a lock while this tab is visible, which other tabs can see. */
export function shareVisibility(): void {
  const change = (): void => {
    if (!document.hidden) void navigator.locks?.request(VISIBLE, { mode: "shared" }, untilHidden);
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

/** Whether a tab of this dashboard is visible. */
export async function anyTabVisible(): Promise<boolean> {
  if (!document.hidden || !navigator.locks) return !document.hidden;
  const { held } = await navigator.locks.query();
  return held?.some(({ name }) => name === VISIBLE) ?? false;
}

const LONGEST_DELAY_MS = 5_000;

/** Runs `work` in one of the tabs that call this within a few seconds. */
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
