import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Problem } from "../client/problem";
import type { TaskState } from "../client/types";
import { address } from "../state/address";
import { stoppedAt, tickingServerNow } from "../state/clock";
import { useShortcuts } from "../state/keys";
import { labelOf } from "../state/link-words";
import { toneOf } from "../state/marks";
import { axisOf } from "../state/phase-axis";
import { declaredPhases, phaseRows } from "../state/phases";
import { runAddress } from "../state/routes";
import { SharedRun } from "../state/shared-run";
import { paramsOf } from "../state/url";
import "../style/fonts.css";
import "../style/run.css";
import "../style/head.css";
import "../style/phases.css";
import "../style/log.css";
import "../style/log-menu.css";
import "../style/lines.css";
import "../style/log-sections.css";
import "../style/log-small.css";
import "../style/ansi.css";
import "../style/panels.css";
import "../style/embed.css";
import { FailuresBelow } from "./failures-below";
import { Log } from "./log";
import { choosePhase, usePhaseKeys } from "./phase-keys";
import { NotLoaded } from "./not-loaded";
import { Phases } from "./phases";
import { RunBar } from "./run-bar";
import { Facts, Figures } from "./run-facts";
import { RunName } from "./run-name";
import { RunSkeleton } from "./skeleton";
import { useLoaded } from "./use-loaded";
import { useProgress } from "./use-progress";

const NO_NAMES: ReadonlyMap<string, string> = new Map();

/** The page of one run for people who have a share token, alone or in a frame of another site. */
export function EmbedPage({ id, token }: { id: string; token: string }) {
  const shared = useMemo(() => new SharedRun(id, token), [id, token]);
  useEffect(() => () => shared.stop(), [shared]);
  const state = shared.run.state.value;
  const progress = shared.run.progress.value;
  useEffect(() => {
    if (state) document.title = `${state.task.title || state.task.job_type} · Taskroom`;
  }, [state?.task.title]);
  if (shared.over.value) return <Ended />;
  if (progress.kind === "refused") return <Refused problem={progress.problem} />;
  if (state) return <Shown shared={shared} state={state} />;
  if (progress.kind === "loading" && progress.problem) return <NotLoaded problem={progress.problem} />;
  return shared.link.value.kind === "reconnecting" ? <Unreachable /> : <RunSkeleton />;
}

function Shown({ shared, state }: { shared: SharedRun; state: TaskState }) {
  const { run } = shared;
  const { task } = state;
  const link = shared.link.value;
  const progress = run.progress.value;
  const rows = useMemo(() => phaseRows(state, declaredPhases(task, null)), [state]);
  const chosen = paramsOf(address.value).get("phase");
  useShortcuts("Run", usePhaseKeys(rows, chosen));
  const over = progress.kind === "ended";
  const silent = stoppedAt.value !== null;
  const stale = !over && (silent || (link.kind !== "live" && link.kind !== "polling"));
  const { mark, word, title } = labelOf(link, progress, silent);
  const at = over ? Date.parse(task.finished_at ?? task.created_at) : tickingServerNow();
  const value = useProgress(state);
  const failed = state.phases.filter(({ status }) => status === "error").length;
  const below = useLoaded(() => shared.api.tree(task.task_id), [task.task_id, task.status, failed])?.below ?? null;
  return (
    <main class={stale ? "run-page embed stale" : "run-page embed"}>
      <header class={`head spine s-${toneOf(task.status)}`}>
        <div class="head-line">
          <RunName task={task}>
            <Facts state={state} below={below} viewers={null} />
            {!over && (
              <span class={`link ${mark}`} title={title}>
                <i class="dot" aria-hidden="true" />
                {word}
              </span>
            )}
          </RunName>
          <Figures state={state} value={value} />
          <a class="home" href={runAddress(task.task_id)} target="_blank" rel="noreferrer">
            Taskroom
          </a>
        </div>
        <RunBar state={state} rows={rows} value={value} choose={choosePhase} />
        <FailuresBelow runId={null} below={below} />
      </header>
      <aside class="side">
        <Phases {...{ state, rows, chosen }} axis={axisOf(task, rows, at)} names={NO_NAMES} choose={choosePhase} />
      </aside>
      <section class="panels">
        <Log run={run} live={link.kind === "live"} embedded />
      </section>
    </main>
  );
}

const Message = ({ heading, children }: { heading: string; children: ComponentChildren }) => (
  <main class="page">
    <div class="missing" role="alert">
      <h1>{heading}</h1>
      <p>{children}</p>
    </div>
  </main>
);

export const NoToken = () => (
  <Message heading="This link is not complete">Its last part, after the sign #, is missing. Copy the whole link again.</Message>
);

const Ended = () => (
  <Message heading="This link is no longer valid">It has expired or was revoked. Ask for a new one.</Message>
);

const Unreachable = () => <Message heading="The server does not answer">This page goes on trying.</Message>;

const Refused = ({ problem }: { problem: Problem }) =>
  problem.status === 404 ? (
    <Message heading="There is no such run">It is older than what is kept, or this link is for another run.</Message>
  ) : (
    <Message heading="This run cannot be shown">{problem.detail || problem.title}</Message>
  );
