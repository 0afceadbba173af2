import { useEffect, useRef } from "preact/hooks";
import type { NewApiKey } from "../client/types";
import { linesFor } from "../state/api-keys";
import { CopyLine } from "./copy-line";

/** A key that was just made: it is shown this once, with what to do with it. */
export function MadeKey({ made, close }: { made: NewApiKey; close: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const lines = linesFor(location.origin, made.key);
  return (
    <section class="made-key" aria-label="New key">
      <h2 ref={heading} tabIndex={-1}>
        The new key: {made.name}
      </h2>
      <p>Copy the key now: it is not shown again.</p>
      <CopyLine text={made.key} label="Copy the key" />
      <p>Where it is used: set two variables, then run a command, or add a line to a Celery project.</p>
      {lines.map((line, at) => (
        <CopyLine key={line} text={line} label={`Copy line ${at + 1}`} />
      ))}
      <button type="button" onClick={close}>
        Done
      </button>
    </section>
  );
}
