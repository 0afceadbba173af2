import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Backoff } from "../client/backoff";
import type { Problem } from "../client/problem";
import { isTerminal, type LogFilter } from "../client/types";
import { announce } from "../state/announce";
import { address, api, go, link } from "../state/app";
import { copy } from "../state/clipboard";
import { hash } from "../state/hash";
import { useShortcuts, type Shortcut } from "../state/keys";
import { textOf } from "../state/log-copy";
import { FilteredLog } from "../state/log-filtered";
import { formatLines } from "../state/log-link";
import { times, turn, wrap } from "../state/log-settings";
import type { AskLog, LogSource } from "../state/log-source";
import { LogView } from "../state/log-view";
import type { Run } from "../state/run";
import { count } from "../state/format";
import { LogList } from "./log-list";
import { Tools } from "./log-tools";
import { Trouble } from "./problem-message";

const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

/** The log of a run: all of it, of any length, live. */
export function Log({ run }: { run: Run }) {
  const ask: AskLog = useMemo(() => (query) => api.logs(run.taskId, query), [run]);
  const view = useLogView(run, ask);
  const [full, setFull] = useFullScreen();
  const field = useRef<HTMLInputElement>(null);
  const source = view.source.value;
  const state = run.state.value;
  const over = isTerminal(state?.task.status);
  const phases = state?.phases.map(({ phase_id }) => phase_id) ?? [];
  useKeys(view, field, full, setFull);
  const said = view.searching.value ? "" : view.said.value;
  useEffect(() => {
    if (said) announce(said);
  }, [said]);
  const problem = source.problem.value;
  useRetry(source, problem);
  return (
    <section class={full ? "log full" : "log"} aria-label="Log" onClick={(event) => chooseLine(event, view)}>
      <Tools
        view={view}
        taskId={run.taskId}
        phases={phases}
        field={field}
        full={full}
        look={lookThrough}
        setFull={setFull}
        copyLink={() => void copyLink(view)}
      />
      <div class="log-body">
        <LogList key={view.turn.value} source={source} view={view} />
        <Empty view={view} over={over} />
        {problem && (
          <Trouble problem={problem}>
            {" "}
            <button type="button" class="plain" onClick={() => source.retry()}>
              Try again
            </button>
          </Trouble>
        )}
        <div class="over-lines">
          <Marked view={view} ask={ask} />
          {!view.follow.value && !view.atEnd.value && <Pill view={view} over={over} />}
        </div>
      </div>
    </section>
  );
}

/** What could not be loaded because the server was away, or nobody signed in, is loaded when that is over. */
function useRetry(source: LogSource, problem: Problem | null): void {
  const backoff = useMemo(() => new Backoff(), [source]);
  const live = link.value.kind === "live";
  useEffect(() => {
    if (problem && live) source.retry();
  }, [live]);
  useEffect(() => {
    if (!problem?.passes) return;
    const timer = setTimeout(() => source.retry(), backoff.next());
    return () => clearTimeout(timer);
  }, [problem]);
}

function useLogView(run: Run, ask: AskLog): LogView {
  const view = useMemo(() => {
    const made = new LogView(run.log, ask);
    made.open(location.hash);
    made.look(filterOf(location.search));
    return made;
  }, [run, ask]);
  const at = address.value;
  const pointed = hash.value;
  useEffect(() => {
    view.look(filterOf(location.search));
    view.open(location.hash);
  }, [view, at, pointed]);
  useEffect(() => () => view.stop(), [view]);
  return view;
}

function filterOf(search: string): LogFilter {
  const asked = new URLSearchParams(search);
  const level = asked.get("level") ?? "";
  return { level: LEVELS.includes(level) ? level : undefined, phase: asked.get("phase") || undefined };
}

/** The filter is in the address, so that the view can be shared. */
function lookThrough(filter: LogFilter): void {
  const search = new URLSearchParams(location.search);
  for (const name of ["level", "phase"] as const) {
    if (filter[name]) search.set(name, filter[name]);
    else search.delete(name);
  }
  go(`${location.pathname}${search.size ? `?${search}` : ""}${location.hash}`);
}

/** A click on a line's number marks it; shift makes it a range; where a filter is on, it shows what is around. */
function chooseLine(event: MouseEvent, view: LogView): void {
  const link = event.target instanceof Element ? event.target.closest("a.seq") : null;
  if (!link || event.button || event.metaKey || event.ctrlKey || event.altKey) return;
  event.preventDefault();
  const sequence = Number(link.textContent);
  const { level, phase } = view.filter.value;
  if (!event.shiftKey && (level || phase)) {
    go(`${location.pathname}#L${sequence}`);
    return;
  }
  history.replaceState(null, "", view.mark(sequence, event.shiftKey));
  // A shifted click also selects the text between; the range is what was meant.
  document.getSelection()?.removeAllRanges();
}

async function copyLink(view: LogView): Promise<void> {
  const { current, range } = { current: view.current.value, range: view.range.value };
  const hash = range ? formatLines(range) : current !== null ? formatLines({ from: current, to: current }) : "";
  const link = location.origin + location.pathname + location.search + hash;
  await say(view, copy(link), "Link copied");
}

async function say(view: LogView, copied: Promise<boolean>, word: string): Promise<boolean> {
  const done = await copied;
  view.tell(done ? word : "The browser does not allow copying");
  return done;
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

function useKeys(
  view: LogView,
  field: { current: HTMLInputElement | null },
  full: boolean,
  setFull: (full: boolean) => void,
): void {
  const shortcuts = useMemo<Shortcut[]>(
    () => [
      { keys: "/", says: "Search the whole log", run: () => field.current?.select() },
      { keys: "n", says: "Next hit", run: () => void view.find("next") },
      { keys: "N", says: "Previous hit", run: () => void view.find("previous") },
      { keys: "e", says: "Next error", run: () => void view.findError("next") },
      { keys: "E", says: "Previous error", run: () => void view.findError("previous") },
      { keys: "f", says: "Follow the end", run: () => (view.follow.value ? view.hold() : view.toEnd()) },
      { keys: "w", says: "Wrap lines", run: () => switchOver("Wrap lines", wrap) },
      { keys: "t", says: "Times", run: () => switchOver("Times", times) },
      { keys: "z", says: "Full screen", run: () => setFull(!full) },
      { keys: "g g", says: "To the start", run: () => view.toTop() },
      { keys: "G", says: "To the end", run: () => view.toEnd() },
      { keys: "c", says: "Copy a link to the marked lines", run: () => void copyLink(view) },
    ],
    [view, field, full, setFull],
  );
  useShortcuts("Log", shortcuts);
}

function switchOver(name: string, choice: typeof wrap): void {
  turn(choice);
  announce(`${name}: ${choice.value}`);
}

function Empty({ view, over }: { view: LogView; over: boolean }) {
  const source = view.source.value;
  source.version.value;
  if (source instanceof FilteredLog && source.end === source.first && !source.empty) {
    return <p class="empty late">Looking through the log, {count(source.looked)} events so far</p>;
  }
  if (!source.empty) return null;
  const { level, phase } = view.filter.value;
  if (!level && !phase) return <p class="empty">{over ? "This run wrote no lines" : "No lines yet"}</p>;
  return (
    <p class="empty">
      No line matches this filter{" "}
      <button type="button" class="plain" onClick={() => lookThrough({})}>
        Clear
      </button>
    </p>
  );
}

function Pill({ view, over }: { view: LogView; over: boolean }) {
  view.source.value.version.value;
  const { unread } = view;
  const lines = `${count(unread)} new ${unread === 1 ? "line" : "lines"}`;
  return (
    <button type="button" class="pill" onClick={() => view.toEnd()}>
      ↓ {unread > 0 ? lines : over ? "To the end" : "Follow"}
    </button>
  );
}

/** What can be done with the lines that the address points at. */
function Marked({ view, ask }: { view: LogView; ask: AskLog }) {
  const [copied, setCopied] = useState(false);
  const range = view.range.value;
  useEffect(() => setCopied(false), [range]);
  if (!range) return null;
  const { from, to } = range;
  const copyLines = async (): Promise<void> => {
    setCopied(await say(view, textOf(ask, range).then(copy), "Lines copied"));
  };
  const clear = (): void => {
    view.unmark();
    history.replaceState(null, "", location.pathname + location.search);
  };
  return (
    <div class="marked-lines">
      <span>{from === to ? `Line ${count(from)}` : `Lines ${count(from)} to ${count(to)}`}</span>
      <button type="button" class="plain" onClick={() => void copyLines()}>
        {copied ? "Copied" : "Copy"}
      </button>
      <button type="button" class="plain" onClick={() => void copyLink(view)}>
        Copy link
      </button>
      <button type="button" class="plain" onClick={clear}>
        Clear
      </button>
    </div>
  );
}
