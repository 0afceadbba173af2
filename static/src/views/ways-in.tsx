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
