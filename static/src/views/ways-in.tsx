import { useEffect, useRef } from "preact/hooks";
import { hash } from "../state/address";
import { WAYS_IN_HASH } from "../state/routes";
import { installation, WAYS_IN } from "../state/ways-in";
import "../style/ways-in.css";
import { Copy } from "./copy";

/** How tasks that exist already become runs: lines to copy, with the address of this server and a key in them. */
export function WaysIn({ value }: { value: string }) {
  return (
    <div class="ways-in">
      <Lines name="Once, in a terminal" effect="Installs the package and says where runs are reported." lines={installation(location.origin, value)} />
      {WAYS_IN.map((way) => (
        <Lines key={way.name} {...way} />
      ))}
    </div>
  );
}

/** On the page of API keys, where no key was just made. The link of the list of runs leads here. */
export function WaysInOfPage() {
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    if (hash.value === WAYS_IN_HASH) section.current?.scrollIntoView();
  }, [hash.value]);
  return (
    <section ref={section} id={WAYS_IN_HASH} aria-labelledby="ways-in-title">
      <h2 id="ways-in-title">Report your own tasks</h2>
      <p>
        Put a key in place of <code>trk_…</code>: one that you have, or make a key above, and these lines have it.
      </p>
      <WaysIn value="trk_…" />
    </section>
  );
}

function Lines({ name, effect, lines }: { name: string; effect: string; lines: string }) {
  return (
    <section aria-label={name}>
      <header>
        <h3>{name}</h3>
        <Copy text={lines} label={`Copy the lines: ${name}`}>
          Copy
        </Copy>
      </header>
      <p class="hint">{effect}</p>
      <pre class="code">{lines}</pre>
    </section>
  );
}
