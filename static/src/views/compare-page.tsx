import { useEffect, useMemo } from "preact/hooks";
import type { Problem } from "../client/problem";
import type { RelatedRun } from "../client/related";
import type { TaskState } from "../client/types";
import type { Progress } from "../client/watch";
import { address, go } from "../state/address";
import { api, connection, link } from "../state/app";
import { stoppedAt } from "../state/clock";
import { lastSuccess } from "../state/earlier";
import { pageProgress } from "../state/link-label";
import { isStale } from "../state/link-words";
import { compareAddress, runAddress } from "../state/routes";
import { Run } from "../state/run";
import { paramsOf } from "../state/url";
import "../style/panels.css";
import "../style/compare.css";
import "../style/compare-head.css";
import { CompareErrors } from "./compare-errors";
import { Choices, CompareHead } from "./compare-head";
import { ComparePhases } from "./compare-phases";
import { CompareValues } from "./compare-values";
import { Link } from "./link";
import { NotLoaded } from "./not-loaded";
import { ProblemMessage } from "./problem-message";
import { Shell } from "./shell";
import { useAnswer } from "./use-loaded";

/** Puts a run beside an earlier one of its job type: what was asked for, how long it took, what came out. Both are live. */
export function ComparePage({ id }: { id: string }) {
  const other = paramsOf(address.value).get("with");
  const runs = useAnswer(() => api.earlier(id), [id]);
  const chosen = other ?? choice(runs.value, id);
  useEffect(() => {
    // An address that is sent to somebody names both.
    if (!other && chosen) go(compareAddress(id, chosen), true);
  }, [id, other, chosen]);
  const [mine, its] = [useRun(id), useRun(chosen)];
  const job = mine?.state.value?.task.job_type;
  useEffect(() => {
    document.title = job ? `Compare ${job} · Taskroom` : "Compare · Taskroom";
  }, [job]);
  const progress = worse(mine?.progress.value, its?.progress.value);
  useEffect(() => {
    pageProgress.value = progress;
    return () => void (pageProgress.value = null);
  }, [progress]);
  return <Shell>{content({ id, mine, its, chosen, runs: runs.value, problem: runs.problem, progress })}</Shell>;
}

interface Props {
  id: string;
  mine: Run | null;
  its: Run | null;
  chosen: string | null;
  /** The earlier runs of the job; null while they are not known, with `problem` when they could not be loaded. */
  runs: readonly RelatedRun[] | null;
  problem: Problem | null;
  progress: Progress | null;
}

function content({ id, mine, its, chosen, runs, problem, progress }: Props) {
  const [own, of] = [mine?.progress.value, its?.progress.value];
  if (own?.kind === "refused") return <Refused problem={own.problem} what="There is no such run" to="/" text="All runs" />;
  if (of?.kind === "refused") {
    return <Refused problem={of.problem} what="There is no such run to compare with" to={compareAddress(id)} text="Compare with another run" />;
  }
  const [after, before] = [mine?.state.value, its?.state.value];
  const waitsFor = [own, of].find((each) => each?.kind === "loading" && each.problem) as { problem: Problem } | undefined;
  const reason = waitsFor?.problem ?? (chosen === null ? problem : null);
  if (reason && !(after && before)) return <NotLoaded problem={reason} heading="The runs cannot be compared now" />;
  if (after && chosen === null && runs) return <Alone id={id} />;
  if (!after || !before) return <Loading />;
  return (
    <main class={isStale(link.value, progress, stoppedAt.value !== null) ? "page compare stale" : "page compare"}>
      {after.task.task_id === before.task.task_id || after.task.job_type !== before.task.job_type ? (
        <NotAlike {...{ before, after, runs, problem }} />
      ) : (
        <>
          <CompareHead before={before} after={after} runs={runs ?? []} />
          <CompareErrors before={before.task} after={after.task} />
          <ComparePhases before={before} after={after} />
          <CompareValues title="Parameters" before={before.task.params ?? {}} after={after.task.params ?? {}} />
          <CompareValues title="Result" before={before.task.result} after={after.task.result} />
        </>
      )}
    </main>
  );
}

/** The last success, else the run before; null when there is none. */
const choice = (runs: readonly RelatedRun[] | null, id: string): string | null =>
  runs ? (lastSuccess(runs, id) ?? runs.find(({ task_id }) => task_id !== id))?.task_id ?? null : null;

/** A run of the page, live until it has ended or another one takes its place. */
function useRun(id: string | null): Run | null {
  const run = useMemo(() => (id === null ? null : new Run(id, api, connection)), [id]);
  useEffect(() => () => run?.stop(), [run]);
  return run;
}

/** Which of two states the page is in as a whole. */
function worse(one: Progress | undefined, other: Progress | undefined): Progress | null {
  const both = [one, other].filter((each) => each !== undefined);
  return both.find(({ kind }) => kind !== "ended" && kind !== "current") ?? both.find(({ kind }) => kind === "current") ?? both[0] ?? null;
}

const Loading = () => (
  <main class="page compare late" aria-busy="true">
    <p role="status">Loading both runs.</p>
  </main>
);

interface RefusedProps {
  problem: Problem;
  /** What is said of a run that there is not. */
  what: string;
  to: string;
  text: string;
}

function Refused({ problem, what, to, text }: RefusedProps) {
  const missing = problem.status === 404;
  return (
    <main class="page missing">
      <h1>{missing ? what : "The runs cannot be compared"}</h1>
      {missing ? <p>It may belong to somebody else, or it is older than what is kept.</p> : <ProblemMessage problem={problem} />}
      <Link to={to}>{text}</Link>
    </main>
  );
}

const Alone = ({ id }: { id: string }) => (
  <main class="page missing">
    <h1>There is nothing to compare with</h1>
    <p>This is the first run of its job.</p>
    <Link to={runAddress(id)}>Back to the run</Link>
  </main>
);

interface NotAlikeProps extends Pick<Props, "runs" | "problem"> {
  before: TaskState;
  after: TaskState;
}

/** In place of a comparison that would say nothing: what there is to compare instead. */
function NotAlike({ before, after, runs, problem }: NotAlikeProps) {
  const { task_id, job_type } = after.task;
  const own = before.task.task_id === task_id;
  return (
    <div class="missing">
      <h1>{own ? "This is the same run twice" : "These are runs of different jobs"}</h1>
      {!own && (
        <p>
          <Link to={runAddress(task_id)}>This run</Link> is of the job {job_type}, <Link to={runAddress(before.task.task_id)}>the other one</Link> of the job{" "}
          {before.task.job_type}. Their parameters and phases have nothing to do with each other.
        </p>
      )}
      {problem && <ProblemMessage problem={problem} />}
      {runs && runs.length < 2 && <p>There is no earlier run of {job_type} to compare with.</p>}
      {runs && runs.length > 1 && (
        <section class="compare-choices" aria-label="Runs to compare with">
          <h2>Earlier runs of {job_type}</h2>
          <Choices of={task_id} runs={runs} chosen={null} />
        </section>
      )}
    </div>
  );
}
