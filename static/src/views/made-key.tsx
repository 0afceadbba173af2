import { useEffect, useRef } from "preact/hooks";
import type { NewApiKey } from "../client/apiKeys";
import { CopyLine } from "./copy-line";
import { WaysIn } from "./ways-in";

/** A key that was just made: it is shown this once, with what to do with it. */
export function MadeKey({ made, close }: { made: NewApiKey; close: () => void }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section class="made-key" aria-label="New key">
      <h2 ref={heading} tabIndex={-1}>
        The new key: {made.name}
      </h2>
      <p>Copy the key now: it is not shown again.</p>
      <CopyLine text={made.key} label="Copy the key" />
      {made.scopes.includes("report") && <WaysIn value={made.key} />}
      <button type="button" onClick={close}>
        Done
      </button>
    </section>
  );
}
