import { send } from "../client/http";
import { lastHeard } from "../client/lifeSigns";
import { serverNow } from "../client/serverClock";
import { isRunning, now, stoppedAt } from "./clock";

/** A server that sends nothing for so long is asked whether it is there, */
const ASK_MS = 8_000;
/** or for so long while no figure of the page runs that would be wrong. */
const QUIET_MS = 60_000;
/** Then it has so long for an answer: twelve seconds of silence in all. */
const ANSWER_MS = 4_000;

/** Watches whether the server is heard while the page is visible, and stops the clocks when it is not. A connection to a
 * server that is frozen stays open for a long time. Returns a function that ends it. */
export function watchPulse(): () => void {
  let asked: number | null = null;
  let asking = false;
  const ask = async (): Promise<void> => {
    asking = true;
    try {
      await send("GET", "/livez");
    } catch {
      // What is heard counts, and nothing was.
    }
    asking = false;
  };
  const unsubscribe = now.subscribe((time) => {
    if (document.hidden || time - lastHeard() < (isRunning() ? ASK_MS : QUIET_MS)) {
      asked = stoppedAt.value = null;
      return;
    }
    asked ??= time;
    if (!asking) void ask();
    if (time - asked >= ANSWER_MS) stoppedAt.value ??= serverNow();
  });
  return () => {
    unsubscribe();
    stoppedAt.value = null;
  };
}
