import { useEffect, useRef } from "preact/hooks";
import { logDownload } from "../client/api";
import type { LogFilter } from "../client/types";
import { times, turn, wrap } from "../state/log-settings";
import type { LogView } from "../state/log-view";
import { More } from "./more";

const LEVELS = [
  ["", "All levels"],
  ["INFO", "Info and worse"],
  ["WARNING", "Warnings and worse"],
  ["ERROR", "Errors and worse"],
  ["CRITICAL", "Critical only"],
] as const;

/** What one keystroke is given to become a word before the server is asked. */
const TYPING_MS = 250;

export interface ToolsProps {
  view: LogView;
  taskId: string;
  phases: readonly string[];
  field: { current: HTMLInputElement | null };
  full: boolean;
  look: (filter: LogFilter) => void;
  setFull: (full: boolean) => void;
  copyLink: () => void;
}

export function Tools(props: ToolsProps) {
  const { view } = props;
  const follow = view.follow.value;
  return (
    <div class="log-tools" role="toolbar" aria-label="Log tools">
      <Search view={view} field={props.field} />
      <span class="said">{view.said.value}</span>
      <Filters {...props} />
      <button
        type="button"
        class="tool"
        aria-pressed={follow}
        title="Follow the end (f)"
        onClick={() => (follow ? view.hold() : view.toEnd())}
      >
        <span aria-hidden="true">⤓</span> Follow
      </button>
      <More>
        <Menu {...props} />
      </More>
    </div>
  );
}

function Search({ view, field }: Pick<ToolsProps, "view" | "field">) {
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (text: string): void => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => void view.type(text), TYPING_MS);
  };
  const press = (event: KeyboardEvent & { currentTarget: HTMLInputElement }): void => {
    const input = event.currentTarget;
    if (event.key === "Enter") {
      clearTimeout(timer.current);
      if (input.value !== view.query.value) void view.type(input.value);
      else void view.find(event.shiftKey ? "previous" : "next");
    } else if (event.key === "Escape") {
      // First the search, then its text, then the field.
      event.stopPropagation();
      event.preventDefault();
      clearTimeout(timer.current);
      if (view.cancel()) return;
      if (!input.value) input.blur();
      input.value = "";
      void view.type("");
    }
  };
  return (
    <span class="log-find">
      <input
        type="search"
        ref={field}
        placeholder="Search the whole log"
        aria-label="Search the whole log"
        title="Search the whole log (/)"
        maxLength={200}
        spellcheck={false}
        defaultValue={view.query.value}
        onInput={(event) => type(event.currentTarget.value)}
        onKeyDown={press}
      />
      {view.query.value && (
        <>
          <button type="button" class="tool" title="Previous (N)" aria-label="Previous hit" onClick={() => void view.find("previous")}>
            <span aria-hidden="true">↑</span>
          </button>
          <button type="button" class="tool" title="Next (n)" aria-label="Next hit" onClick={() => void view.find("next")}>
            <span aria-hidden="true">↓</span>
          </button>
        </>
      )}
    </span>
  );
}

function Filters({ view, phases, look }: Pick<ToolsProps, "view" | "phases" | "look">) {
  const { level, phase } = view.filter.value;
  const all = phase && !phases.includes(phase) ? [...phases, phase] : phases;
  return (
    <span class="log-filters">
      <select aria-label="Level" value={level ?? ""} onChange={(event) => look({ phase, level: event.currentTarget.value })}>
        {LEVELS.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <select aria-label="Phase" value={phase ?? ""} onChange={(event) => look({ level, phase: event.currentTarget.value })}>
        <option value="">All phases</option>
        {all.map((name) => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </span>
  );
}

function Menu(props: ToolsProps) {
  const { view, taskId, full, setFull, copyLink } = props;
  const shown = { ...view.filter.value, q: view.query.value };
  const partly = Object.values(shown).some(Boolean);
  return (
    <div class="log-menu">
      <Filters {...props} />
      <Toggle class="of-wide" name="Wrap lines" keys="w" on={wrap.value === "on"} set={(on) => turn(wrap, on)} />
      <Toggle class="of-wide" name="Times" keys="t" on={times.value === "on"} set={(on) => turn(times, on)} />
      <Toggle name="Full screen" keys="z" on={full} set={setFull} />
      <button type="button" onClick={copyLink}>
        Copy link <kbd>c</kbd>
      </button>
      <hr />
      <Download name="Download all" taskId={taskId} filter={{}} />
      {partly && <Download name="Download this view" taskId={taskId} filter={shown} />}
    </div>
  );
}

interface ToggleProps {
  name: string;
  keys: string;
  on: boolean;
  set: (on: boolean) => void;
  class?: string;
}

function Toggle({ name, keys, on, set, ...rest }: ToggleProps) {
  return (
    <button type="button" aria-pressed={on} onClick={() => set(!on)} {...rest}>
      <span>
        <span class="tick" aria-hidden="true">
          {on ? "✓" : ""}
        </span>
        {name}
      </span>
      <kbd>{keys}</kbd>
    </button>
  );
}

function Download({ name, taskId, filter }: { name: string; taskId: string; filter: LogFilter }) {
  return (
    <p>
      {name}
      <span>
        <a href={logDownload(taskId, "text", filter)} aria-label={`${name} as text`} download>
          text
        </a>
        <a href={logDownload(taskId, "ndjson", filter)} aria-label={`${name} as NDJSON`} download>
          NDJSON
        </a>
      </span>
    </p>
  );
}
