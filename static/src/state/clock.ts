import { signal } from "@preact/signals";
import { serverNow } from "../client/serverClock";

/** The time in milliseconds; changes once a second, for running times and countdowns. */
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 1_000);

/** The server's time at which it was no longer heard; null while it is. */
export const stoppedAt = signal<number | null>(null);

let ranAt = -Infinity;
/** A figure that runs is drawn each second. */
const DRAWN_MS = 2_500;

/** As `tickingServerNow`, for a figure that runs: while there is one, it must be known soon that the server is silent. */
export function runningServerNow(): number {
  ranAt = Date.now();
  return tickingServerNow();
}

/** Whether the page shows a figure that runs. */
export const isRunning = (): boolean => Math.abs(Date.now() - ranAt) <= DRAWN_MS; // a clock may be set back

/** Returns the server's time in milliseconds, which stands while the server is not heard. A component that calls it is drawn again once a second. */
export function tickingServerNow(): number {
  void now.value;
  return stoppedAt.value ?? serverNow();
}
