import type { TaskState } from "../client/types";
import { tickingServerNow } from "../state/clock";
import { longerBy, phasePairs, type PhasePair } from "../state/compare";
import { quantity } from "../state/format";
import { PHASE } from "../state/marks";
import { duration } from "../state/time";
import { PhaseMark } from "./marks";

/** A difference is one from this share of the longer run on; less is chance. */
const MATTERS = 0.02;

/** The phases of both runs as bars on one scale. */
export function ComparePhases({ before, after }: { before: TaskState; after: TaskState }) {
  const pairs = phasePairs(before, after, tickingServerNow());
  if (pairs.length === 0) return null;
  const all = pairs.flatMap((pair) => [pair.before?.seconds ?? 0, pair.after?.seconds ?? 0]);
  const longest = Math.max(...all, 1e-3);
  return (
    <section class="compare-part" aria-label="Phases">
      <h2>Phases</h2>
      <table class="compare-phases">
        <thead>
          <tr>
            <th scope="col">Phase</th>
            <th scope="col">
              <span class="compare-key old">compared with</span> <span class="compare-key">this run</span>
            </th>
            <th scope="col">Difference</th>
          </tr>
        </thead>
        <tbody>
          {pairs.map((pair) => (
            <Pair key={pair.phase_id} pair={pair} longest={longest} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Pair({ pair, longest }: { pair: PhasePair; longest: number }) {
  const by = longerBy(pair.before?.seconds, pair.after?.seconds);
  const matters = by !== null && Math.abs(by) >= MATTERS * longest;
  const text = by === null || !matters ? "" : `${by > 0 ? "+" : "−"}${duration(Math.abs(by))}`;
  return (
    <tr>
      <th scope="row">{pair.phase_id}</th>
      <td>
        <Bar side={pair.before} longest={longest} name="before" />
        <Bar side={pair.after} longest={longest} name="this run" />
      </td>
      <td class={matters && by > 0 ? "number slower" : "number"}>
        {text}
        {matters && <span class="compare-word">{by > 0 ? " slower" : " faster"}</span>}
      </td>
    </tr>
  );
}

function Bar({ side, longest, name }: { side: PhasePair["before"]; longest: number; name: string }) {
  if (!side) return <div class="compare-bar none">{name === "before" ? "not before" : "not in this run"}</div>;
  const width = `${(100 * (side.seconds ?? 0)) / longest}%`;
  return (
    <div class={`compare-bar ${name === "before" ? "old" : ""}`} aria-label={name} role="group">
      <PhaseMark state={side.state} />
      <span class="compare-track">
        <i class={`s-${PHASE[side.state][0]}`} style={{ width }} />
      </span>
      <span class="number">{side.seconds === null ? "" : duration(side.seconds)}</span>
      {side.errors > 0 && <span class="number s-wait">{quantity(side.errors, "error")}</span>}
    </div>
  );
}
