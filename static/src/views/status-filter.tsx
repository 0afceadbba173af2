import { STATUSES } from "../client/types";
import { total, type Counts } from "../state/counts";
import { listAddress, type RunFilter } from "../state/filter";
import { count } from "../state/format";
import { statusWord, toneOf } from "../state/marks";
import { Link } from "./link";

/** How many runs have which status, of all or of the newest; each status that some have is a link that filters the list by it. */
export function StatusFilter({ filter, counts, complete }: { filter: RunFilter; counts: Counts | null; complete: boolean }) {
  const all = counts ? total(counts) : undefined;
  return (
    <nav class="chips" aria-label="Status">
      <StatusLink name="All" number={all} on={!filter.status} to={listAddress({ ...filter, status: null })} />
      {STATUSES.map((status) => {
        const on = filter.status === status;
        if (!on && !counts?.[status]) return null;
        const to = listAddress({ ...filter, status: on ? null : status });
        const name = status === "WAITING" ? "waiting" : statusWord(status);
        return <StatusLink key={status} {...{ name, on, to }} number={counts?.[status]} class={`s-${toneOf(status)}`} />;
      })}
      {!complete && <span class="hint">of the newest 5,000</span>}
    </nav>
  );
}

function StatusLink(props: { name: string; number: number | undefined; on: boolean; to: string; class?: string }) {
  const { name, number, on, to } = props;
  return (
    <Link to={to} {...(on ? { "aria-current": "true" } : {})}>
      {name} <b class={number ? props.class : ""}>{number === undefined ? "" : count(number)}</b>
    </Link>
  );
}
