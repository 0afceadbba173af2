import { useEffect, useMemo, useRef } from "preact/hooks";
import type { User } from "../client/types";
import { trailDownload } from "../client/accountApi";
import { serverNow } from "../client/serverClock";
import { account } from "../state/account";
import { address, go } from "../state/address";
import { useShortcuts } from "../state/keys";
import { dayName, daysOf, GROUPS, isBulk, SPANS, trailAddress, trailFilterOf, trailQueryOf, type TrailFilter } from "../state/trail";
import { TrailList } from "../state/trail-list";
import "../style/trail.css";
import { Choice } from "./choice";
import { ProblemMessage } from "./problem-message";
import { Search } from "./search";
import { Shell } from "./shell";
import { BulkDeeds } from "./trail-bulk";
import { TrailRow } from "./trail-row";

const TYPED_MS = 200;

/** The page of who did what. The filter is in the address. */
export function TrailPage({ user }: { user: User }) {
  const filter = trailFilterOf(address.value);
  const at = trailAddress(filter);
  const search = useRef<HTMLInputElement>(null);
  const query = useMemo(() => trailQueryOf(filter, serverNow()), [at, user.id]);
  const list = useMemo(() => new TrailList(account, query), [query]);
  useEffect(() => {
    document.title = "Trail · Taskroom";
  }, []);
  useEffect(() => {
    void list.load();
    return () => list.stop();
  }, [list]);
  useShortcuts(
    "Trail",
    useMemo(() => [{ keys: "/", description: "Search the trail", run: () => search.current?.focus() }], []),
  );
  const change = (changes: Partial<TrailFilter>): void => go(trailAddress({ ...filter, ...changes }), true);
  const entries = list.entries.value;
  const name = entries?.find((entry) => entry.user_id === filter.who)?.user_name;
  return (
    <Shell>
      <main class="page trail-page" aria-busy={list.busy.value}>
        <header class="trail-head">
          <h1>Trail</h1>
          <p class="hint">{whose(user)}</p>
        </header>
        <search class="trail-filters">
          <Search field={search} label="Search the trail" placeholder="Name, note or id" value={filter.q} delay={TYPED_MS} change={(q) => change({ q })} />
          <Choice label="What" value={filter.action} options={GROUPS} change={(action) => change({ action })} />
          <Choice label="Time" value={filter.span} options={SPANS} change={(span) => change({ span })} />
          {filter.who && (
            <button type="button" class="chip" aria-label={`Everybody, not only ${name ?? "this account"}`} onClick={() => change({ who: "" })}>
              by {name ?? "one account"} <span aria-hidden="true">×</span>
            </button>
          )}
          <a class="hint" href={trailDownload(query)} download="trail.ndjson">
            Export
          </a>
        </search>
        <Entries list={list} change={change} user={user} />
      </main>
    </Shell>
  );
}

function Entries({ list, change, user }: { list: TrailList; change: (changes: Partial<TrailFilter>) => void; user: User }) {
  const entries = list.entries.value;
  const problem = list.problem.value;
  const next = list.next.value;
  return (
    <>
      {problem && (
        <ProblemMessage problem={problem}>
          {" "}
          <button type="button" class="plain" onClick={() => void (entries ? list.more() : list.load())}>
            Try again
          </button>
        </ProblemMessage>
      )}
      {!problem && !entries && <p class="late">Loading.</p>}
      {entries?.length === 0 && <p class="empty">{next ? "Nothing so far." : "Nobody did anything of that kind."}</p>}
      {daysOf(entries ?? []).map(({ at, entries: ofDay }) => (
        <section key={at} aria-label={dayName(at, serverNow())}>
          <h2>{dayName(at, serverNow())}</h2>
          <ol class="trail">
            {ofDay.map((entry) => (
              <TrailRow key={entry.id} entry={entry} mine={entry.user_id === user.id} only={(who) => change({ who })}>
                {isBulk(entry) && entry.bulk_id && entry.number > 0 && <BulkDeeds bulk={entry.bulk_id} owner={entry.owner_id ?? undefined} user={user} only={(who) => change({ who })} />}
              </TrailRow>
            ))}
          </ol>
        </section>
      ))}
      {next && (
        <button type="button" disabled={list.busy.value} onClick={() => void list.more()}>
          {list.busy.value ? "Loading" : "Show older"}
        </button>
      )}
    </>
  );
}

function whose(user: User): string {
  if (user.role === "global_admin") return "What everybody did.";
  if (user.role === "admin" && user.tenant) return `What was done in ${user.tenant}.`;
  return "What you did, and what others did to what is yours.";
}
