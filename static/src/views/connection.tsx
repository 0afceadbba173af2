import { connection, link, now } from "../state/app";
import { said } from "../state/link-label";

/** Whether what is shown is up to date: a word with a mark, always in the same place. */
export function ConnectionState() {
  const { mark, word, title } = said.value;
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
