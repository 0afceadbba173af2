import { computed } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Backoff } from "../client/backoff";
import type { Problem } from "../client/problem";
import { isTerminal, type TaskState } from "../client/types";
import { address, go, hash } from "../state/address";
import { announce } from "../state/announce";
import { count, quantity } from "../state/format";
import { FilteredLog } from "../state/log-filtered";
import { LogFolds } from "../state/log-folds";
import { sectionsOf } from "../state/log-sections";
import type { LoadLog, LogSource } from "../state/log-source";
import { LogView } from "../state/log-view";
import type { Run } from "../state/run";
import { FailureBlock } from "./failure-block";
import { copyLink, logFilter, markInAddress, setLogFilter, withoutFilter } from "./log-address";
import { LogEnd } from "./log-end";
import { useLogKeys } from "./log-keys";
import { LogList } from "./log-list";
import { LogPath } from "./log-path";
import { LogTools } from "./log-tools";
import { MarkedLines } from "./marked-lines";
import { ProblemMessage } from "./problem-message";

interface Props {
  run: Run;
  /** Whether the connection is live. */
  live: boolean;
  /** Whether it is in a page that has a token instead of a session: it then offers no links, which would lack it. */
  embedded?: boolean;
}

/** The log of a run, of any length, live. */
export function Log({ run, live, embedded = false }: Props) {
  const { load } = run;
  const view = useLogView(run, load);
  const [full, setFull] = useFullScreen();
  const field = useRef<HTMLInputElement>(null);
  const source = view.source.value;
  const state = run.state.value;
  const over = isTerminal(state?.task.status);
  const phases = state?.phases.map(({ phase_id }) => phase_id) ?? [];
  useLogKeys(view, field, full, setFull, embedded);
  const message = view.searching.value ? "" : view.message.value;
  useEffect(() => {
    if (message) announce(message);
  }, [message]);
  const problem = source.problem.value;
  useRetry(source, problem, live);
  return (
    <>
      {state && <FailureBlock state={state} view={view} load={load} linked={!embedded} />}
      <section class={full ? "log full" : "log"} aria-label="Log" onClick={(event) => chooseLine(event, view)}>
        <LogTools
          view={view}
          taskId={run.taskId}
          phases={phases}
          field={field}
          full={full}
          setFilter={setLogFilter}
          setFull={setFull}
          copyLink={embedded ? null : () => void copyLink(view)}
        />
        <div class="log-body">
          <LogPath view={view} />
          <LogList key={view.generation.value} source={source} view={view} start={startOf(state)}>
            {state && <LogEnd state={state} />}
          </LogList>
          <NoLines view={view} over={over} />
          {problem && (
            <ProblemMessage problem={problem}>
              {" "}
              <button type="button" class="plain" onClick={() => source.retry()}>
                Try again
              </button>
            </ProblemMessage>
          )}
          <div class="over-lines">
            <MarkedLines view={view} load={load} linked={!embedded} />
            {!view.follow.value && (!view.atEnd.value || view.endHidden) && <ToEnd view={view} over={over} />}
          </div>
        </div>
      </section>
    </>
  );
}

/** Loads again what failed, with back-off and when the connection is live again. */
function useRetry(source: LogSource, problem: Problem | null, live: boolean): void {
  const backoff = useMemo(() => new Backoff(), [source]);
  useEffect(() => {
    if (problem && live) source.retry();
  }, [live]);
  useEffect(() => {
    if (!problem?.passes) return;
    const timer = setTimeout(() => source.retry(), backoff.next());
    return () => clearTimeout(timer);
  }, [problem]);
}

const startOf = (state: TaskState | null): number | null =>
  state?.task.started_at ? Date.parse(state.task.started_at) : null;

function useLogView(run: Run, load: LoadLog): LogView {
  const view = useMemo(() => {
    const given = computed(() => run.state.value?.sections);
    const folds = new LogFolds(run.taskId, computed(() => sectionsOf(given.value ?? [])));
    const made = new LogView(run.log, load, run.loadMarks, folds);
    made.open(location.hash);
    made.setFilter(logFilter());
    return made;
  }, [run, load]);
  useEffect(() => view.marks.start(), [view]);
  useEffect(() => {
    view.setFilter(logFilter());
    view.open(location.hash);
  }, [view, address.value, hash.value]);
  useEffect(() => () => view.stop(), [view]);
  return view;
}

/** Marks the line whose number was clicked; with shift up to it. Where a filter is set, it shows the line without it. */
function chooseLine(event: MouseEvent, view: LogView): void {
  const link = event.target instanceof Element ? event.target.closest("a.seq") : null;
  if (!link || event.button || event.metaKey || event.ctrlKey || event.altKey) return;
  event.preventDefault();
  const sequence = Number(link.getAttribute("href")?.slice(2));
  const { level, phase } = view.filter.value;
  if (!event.shiftKey && (level || phase)) {
    go(`${withoutFilter()}#L${sequence}`);
    return;
  }
  markInAddress(view.mark(sequence, event.shiftKey));
  // A click with shift also selects the text between, which is not wanted.
  document.getSelection()?.removeAllRanges();
}

function useFullScreen(): [boolean, (full: boolean) => void] {
  const [full, setFull] = useState(false);
  useEffect(() => {
    if (!full) return;
    const press = (event: KeyboardEvent): void => {
      if (event.key === "Escape" && !event.defaultPrevented) setFull(false);
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [full]);
  return [full, setFull];
}

/** In place of the lines while there are none. */
function NoLines({ view, over }: { view: LogView; over: boolean }) {
  const source = view.source.value;
  void source.version.value;
  if (source instanceof FilteredLog && source.end === source.first && !source.empty) {
    return <p class="empty late">Looking through the log, {count(source.looked)} events so far</p>;
  }
  if (!source.empty) return null;
  const { level, phase } = view.filter.value;
  if (!level && !phase) return <p class="empty">{over ? "This run wrote no lines" : "No lines yet"}</p>;
  return (
    <p class="empty">
      No line matches this filter{" "}
      <button type="button" class="plain" onClick={() => setLogFilter({})}>
        Clear
      </button>
    </p>
  );
}

/** The button that goes to the end, with the number of new lines there. */
function ToEnd({ view, over }: { view: LogView; over: boolean }) {
  void view.source.value.version.value;
  const { unread } = view;
  return (
    <button type="button" class="pill" onClick={() => view.toEnd()}>
      ↓ {unread > 0 ? quantity(unread, "new line") : over ? "To the end" : "Follow"}
    </button>
  );
}
