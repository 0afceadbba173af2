import { useEffect, useState } from "preact/hooks";
import type { RelatedRun } from "../client/related";
import { Problem } from "../client/problem";
import { isTerminal, type Snapshot } from "../client/types";
import { address, go } from "../state/address";
import { api } from "../state/app";
import { lastSuccess } from "../state/earlier";
import { compareAddress, runAddress } from "../state/routes";
import { paramsOf } from "../state/url";
import "../style/panels.css";
import "../style/compare.css";
import "../style/compare-head.css";
import { CompareHead } from "./compare-head";
import { CompareValues } from "./compare-values";
import { ComparePhases } from "./compare-phases";
import { CompareErrors } from "./compare-errors";
import { Link } from "./link";
import { ProblemMessage } from "./problem-message";
import { Shell } from "./shell";

/** How often both runs are read again while one of them goes on. */
const AGAIN_MS = 5_000;

/** Puts a run beside an earlier one of its job type: what was asked for, how long it took, what came out. */
export function ComparePage({ id }: { id: string }) {
  const other = paramsOf(address.value).get("with");
  const runs = useRuns(id);
  const chosen = other ?? choice(runs.value, id);
  useEffect(() => {
    // An address that is sent to somebody names both.
    if (!other && chosen) go(compareAddress(id, chosen), true);
  }, [id, other, chosen]);
  const [mine, its] = [useSnapshot(id), useSnapshot(chosen)];
  useEffect(() => {
    document.title = mine.value ? `Compare ${mine.value.task.job_type} · Taskroom` : "Compare · Taskroom";
  }, [mine.value]);
  const problem = mine.problem ?? its.problem ?? (chosen === null ? runs.problem : null);
  return (
    <Shell>
      <main class="page compare">
        {problem && <Refused problem={problem} id={id} mine={problem === mine.problem} />}
        {!problem && runs.value && chosen === null && <Alone id={id} />}
        {!problem && mine.value && its.value && (
          <>
            <CompareHead before={its.value} after={mine.value} runs={runs.value ?? []} />
            <CompareErrors before={its.value.task} after={mine.value.task} />
            <ComparePhases before={its.value} after={mine.value} />
            <CompareValues title="Parameters" before={its.value.task.params ?? {}} after={mine.value.task.params ?? {}} />
            <CompareValues title="Result" before={its.value.task.result} after={mine.value.task.result} />
          </>
        )}
      </main>
    </Shell>
  );
}

/** The last success, else the run before; null when there is none. */
const choice = (runs: readonly RelatedRun[] | null, id: string): string | null =>
  runs ? (lastSuccess(runs, id) ?? runs.find(({ task_id }) => task_id !== id))?.task_id ?? null : null;

interface Loaded<T> {
  value: T | null;
  problem: Problem | null;
}

const NOTHING = { value: null, problem: null };

function useRuns(id: string): Loaded<RelatedRun[]> {
  const [state, set] = useState<Loaded<RelatedRun[]>>(NOTHING);
  useEffect(() => {
    let stale = false;
    api.earlier(id).then(
      (value) => stale || set({ value, problem: null }),
      (error: unknown) => stale || set({ value: null, problem: Problem.of(error) }),
    );
    return () => void (stale = true);
  }, [id]);
  return state;
}

/** Reads a run until it has ended. What was read stays when a later answer fails. */
function useSnapshot(id: string | null): Loaded<Snapshot> {
  const [state, set] = useState<Loaded<Snapshot>>(NOTHING);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stale = false;
    set(NOTHING);
    const read = (): void => {
      if (id === null) return;
      api.snapshot(id).then(
        (value) => {
          if (stale) return;
          set({ value, problem: null });
          if (!isTerminal(value.task.status)) timer = setTimeout(read, AGAIN_MS);
        },
        (error: unknown) => {
          if (stale) return;
          set(({ value }) => ({ value, problem: value ? null : Problem.of(error) }));
          timer = setTimeout(read, AGAIN_MS);
        },
      );
    };
    read();
    return () => {
      stale = true;
      clearTimeout(timer);
    };
  }, [id]);
  return state;
}

function Refused({ problem, id, mine }: { problem: Problem; id: string; mine: boolean }) {
  const missing = problem.status === 404;
  return (
    <div class="missing">
      <h1>{missing ? `There is no such run${mine ? "" : " to compare with"}` : "The runs cannot be compared now"}</h1>
      {missing ? <p>It may belong to somebody else, or it is older than what is kept.</p> : <ProblemMessage problem={problem} />}
      <Link to={mine ? "/" : compareAddress(id)}>{mine ? "All runs" : "Compare with another run"}</Link>
    </div>
  );
}

const Alone = ({ id }: { id: string }) => (
  <div class="missing">
    <h1>There is nothing to compare with</h1>
    <p>This is the first run of its job.</p>
    <Link to={runAddress(id)}>Back to the run</Link>
  </div>
);
