/** `Date` has whole seconds, so smaller offsets are noise. */
const NOTABLE_MS = 2_000;

let offset = 0;

/** Returns the server's time in milliseconds, so that a wrong clock here shows no wrong running times. */
export const serverNow = (): number => Date.now() + offset;

/** Sets the clock by the `Date` of a response. */
export function readServerClock(headers: Headers): void {
  const date = Date.parse(headers.get("Date") ?? "");
  if (Number.isNaN(date)) return;
  const difference = date - Date.now();
  offset = Math.abs(difference) > NOTABLE_MS ? difference : 0;
}
