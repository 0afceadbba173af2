import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "../client/problem";
import { STATUSES, type User } from "../client/types";
import { total, type Counts } from "../state/counts";
import { addressOf, readsTenant, type Filter } from "../state/filter";
import { jobTypes } from "../state/jobs";
import { count } from "../state/format";
import { stateOf, stateWord } from "./marks";
import { Link } from "./parts";

const TYPED_MS = 200;
const LONGEST = 200;

interface ToolsProps {
  user: User;
  filter: Filter;
  to: (changes: Partial<Filter>) => void;
  search: RefObject<HTMLInputElement | null>;
  /** There is nothing to search yet. */
  first: boolean;
  start?: () => void;
}

/** What narrows the list, but the status, and the way to a new run. */
export function Tools({ user, filter, to, search, first, start }: ToolsProps) {
  const types = jobTypes.value;
  const names = types && !(types instanceof Problem) ? types.map(({ job_type }) => job_type) : [];
  const known = !filter.job_type || names.includes(filter.job_type) ? names : [filter.job_type, ...names];
  return (
    <div class="list-tools">
      <h1>Runs</h1>
      <search class="list-filters">
        {!first && <Search q={filter.q} to={to} search={search} />}
        {!first && (
          <select
            aria-label="Job"
            value={filter.job_type}
            onChange={(event) => to({ job_type: event.currentTarget.value })}
          >
            <option value="">any job</option>
            {known.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        )}
        {readsTenant(user) && (
          <select
            aria-label="Whose"
            value={filter.scope}
            onChange={(event) => to({ scope: event.currentTarget.value === "tenant" ? "tenant" : "mine" })}
          >
            <option value="mine">mine</option>
            <option value="tenant">all of {user.tenant}</option>
          </select>
        )}
      </search>
      {start && (
        <button type="button" class="primary" onClick={start}>
          New run
        </button>
      )}
    </div>
  );
}

function Search({ q, to, search }: Pick<ToolsProps, "to" | "search"> & { q: string }) {
  const [text, setText] = useState(q);
  const typed = useRef(q);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  // The address may change by another hand: the history, or "clear the filter".
  useEffect(() => {
    if (q !== typed.current) setText((typed.current = q));
  }, [q]);

  const type = (value: string): void => {
    setText(value);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => to({ q: (typed.current = value) }), TYPED_MS);
  };
  return (
    <input
      ref={search}
      type="search"
      aria-label="Search runs"
      placeholder="Title, job or id"
      maxLength={LONGEST}
      spellcheck={false}
      value={text}
      onInput={(event) => type(event.currentTarget.value)}
      onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
    />
  );
}

/** How many runs have which status; each is the link that narrows the list to it. */
export function Chips({ filter, counts }: { filter: Filter; counts: Counts | null }) {
  const all = counts ? total(counts) : undefined;
  return (
    <nav class="chips" aria-label="Status">
      <Chip name="all" number={all} on={!filter.status} to={addressOf({ ...filter, status: null })} />
      {STATUSES.map((status) => {
        const on = filter.status === status;
        const to = addressOf({ ...filter, status: on ? null : status });
        const name = status === "WAITING" ? "waiting" : stateWord(status);
        return <Chip key={status} {...{ name, on, to }} number={counts?.[status]} class={`s-${stateOf(status)}`} />;
      })}
    </nav>
  );
}

function Chip(props: { name: string; number: number | undefined; on: boolean; to: string; class?: string }) {
  const { name, number, on, to } = props;
  return (
    <Link to={to} {...(on ? { "aria-current": "true" } : {})}>
      {name} <b class={number ? props.class : ""}>{number === undefined ? "" : count(number)}</b>
    </Link>
  );
}
