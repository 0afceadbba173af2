import { signal } from "@preact/signals";
import { serverNow } from "../client/serverClock";

/** The time in milliseconds; changes once a second, for running times and countdowns. */
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 1_000);

/** Returns the server's time in milliseconds. A component that calls it is drawn again once a second. */
export function tickingServerNow(): number {
  void now.value;
  return serverNow();
}
