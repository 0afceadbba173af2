import { connection, link } from "../state/app";
import { now } from "../state/clock";
import { linkLabel } from "../state/link-label";

/** The state of the connection in the header: a word with a mark. */
export function ConnectionState() {
  const { mark, word, title } = linkLabel.value;
  return (
    <span class={`link ${mark} ${word === "connecting" ? "late" : ""}`} title={title}>
      <i class="dot" aria-hidden="true" />
      <span>
        {word}
        <Countdown />
      </span>
    </span>
  );
}

function Countdown() {
  const state = link.value;
  if (state.kind !== "reconnecting") return null;
  const seconds = Math.max(0, Math.ceil((state.until - now.value) / 1_000));
  return (
    <>
      {` in\u00a0${seconds}\u00a0s\u00a0·\u00a0`}
      <button type="button" class="plain" aria-label="Reconnect now" onClick={() => connection.retryNow()}>
        now
      </button>
    </>
  );
}
