import { signal } from "@preact/signals";
import { serverNow } from "../client/serverClock";

/** The time in milliseconds; changes once a second, for running times and countdowns. */
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 1_000);

/** The server's time at which it was no longer heard; null while it is. */
export const stoppedAt = signal<number | null>(null);

/** Returns the server's time in milliseconds, which stands while the server is not heard. A component that calls it is drawn again once a second. */
export function tickingServerNow(): number {
  void now.value;
  return stoppedAt.value ?? serverNow();
}
