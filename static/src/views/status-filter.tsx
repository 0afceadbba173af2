import { STATUSES } from "../client/types";
import { total, type StatusTally } from "../state/counts";
import { listAddress, type RunFilter } from "../state/filter";
import { count } from "../state/format";
import { statusWord, toneOf } from "../state/marks";
import { Link } from "./link";

/** How many runs have which status, of all or of the newest, and how many need approval; each that some have is a link that filters
 * the list by it. */
export function StatusFilter({ filter, tally }: { filter: RunFilter; tally: Pick<StatusTally, "value" | "approvals" | "complete"> }) {
  const counts = tally.value.value;
  const all = counts ? total(counts) : undefined;
  const approvals = tally.approvals.value;
  const to = (changes: Partial<RunFilter>): string => listAddress({ ...filter, status: null, approval: false, ...changes });
  return (
    <nav class="chips" aria-label="Status">
      <StatusLink name="All" number={all} on={!filter.status && !filter.approval} to={to({})} />
      {(approvals > 0 || filter.approval) && (
        <StatusLink name="needs approval" number={approvals} on={filter.approval} to={to({ approval: !filter.approval })} class="s-wait" />
      )}
      {STATUSES.map((status) => {
        const on = filter.status === status;
        if (!on && !counts?.[status]) return null;
        const name = status === "WAITING" ? "waiting" : statusWord(status);
        return <StatusLink key={status} {...{ name, on }} to={to({ status: on ? null : status })} number={counts?.[status]} class={`s-${toneOf(status)}`} />;
      })}
      {!tally.complete.value && <span class="hint">of the newest 5,000</span>}
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
