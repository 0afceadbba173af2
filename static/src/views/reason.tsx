import { useEffect, useRef } from "preact/hooks";
import "../style/reason.css";

const LONGEST_REASON = 500;

/** The field for why something is rejected, and the button that does it. Escape goes back. */
export function Reason({ send, back }: { send: (reason: string) => void; back: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    send(field.current?.value.trim() ?? "");
  };
  const escape = (event: KeyboardEvent): void => {
    if (event.key !== "Escape") return;
    event.preventDefault(); // it must not close what the field is in
    event.stopPropagation();
    back();
  };
  return (
    <form class="ask-reason" onSubmit={submit} onKeyDown={escape}>
      <input ref={field} maxLength={LONGEST_REASON} aria-label="Why it is rejected" placeholder="Why (may be empty)" />
      <button type="submit">Reject now</button>
    </form>
  );
}
