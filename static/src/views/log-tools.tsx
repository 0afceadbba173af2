import type { RefObject } from "preact";
import { logDownload } from "../client/api";
import type { LogFilter } from "../client/types";
import { LEVELS } from "../state/levels";
import { setSwitch, times, TIMES, TIME_WORDS, wrap, type Times } from "../state/log-settings";
import type { LogView } from "../state/log-view";
import { Choice } from "./choice";
import { More } from "./more";
import { Search } from "./search";

/** The server is asked when nothing more was typed for so long. */
const TYPED_MS = 250;

interface Props {
  view: LogView;
  taskId: string;
  phases: readonly string[];
  field: RefObject<HTMLInputElement | null>;
  full: boolean;
  setFilter: (filter: LogFilter) => void;
  setFull: (full: boolean) => void;
  /** Null where links would be of no use: there are no downloads then either. */
  copyLink: (() => void) | null;
}

/** The tools above the log: search, filters, settings and downloads. */
export function LogTools(props: Props) {
  const { view } = props;
  const follow = view.follow.value;
  return (
    <div class="log-tools" role="toolbar" aria-label="Log tools">
      <LogSearch view={view} field={props.field} />
      <span class="log-message">{view.message.value}</span>
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

function LogSearch({ view, field }: Pick<Props, "view" | "field">) {
  return (
    <span class="log-find">
      <Search
        field={field}
        label="Search the whole log"
        placeholder="Search the whole log"
        title="Search the whole log (/)"
        value={view.query.value}
        delay={TYPED_MS}
        change={(text) => void view.searchFor(text)}
        submit={(_, backwards) => void view.find(backwards ? "previous" : "next")}
        cancel={() => view.cancel()}
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

/** In the row of tools, or in the menu of a narrow page. */
function Filters({ view, phases, setFilter }: Pick<Props, "view" | "phases" | "setFilter">) {
  const { level, phase } = view.filter.value;
  const all = phase && !phases.includes(phase) ? [...phases, phase] : phases;
  const levels = LEVELS.flatMap(({ name, filter }) => (filter ? [{ value: name, name: filter }] : []));
  return (
    <span class="log-filters">
      <Choice
        label="Level"
        value={level ?? ""}
        options={[{ value: "", name: "All levels" }, ...levels]}
        change={(value) => setFilter({ phase, level: value })}
      />
      <Choice
        label="Phase"
        value={phase ?? ""}
        options={[{ value: "", name: "All phases" }, ...all.map((name) => ({ value: name, name }))]}
        change={(value) => setFilter({ level, phase: value })}
      />
    </span>
  );
}

function Menu(props: Props) {
  const { view, taskId, full, setFull, copyLink } = props;
  const shown = { ...view.filter.value, q: view.query.value };
  const partly = Object.values(shown).some(Boolean);
  return (
    <div class="log-menu">
      <Filters {...props} />
      <Toggle class="of-wide" name="Wrap lines" keys="w" on={wrap.value === "on"} set={(on) => setSwitch(wrap, on)} />
      <div class="of-wide times">
        Times
        <Choice
          label="Times"
          value={times.value}
          options={TIMES.map((value) => ({ value, name: TIME_WORDS[value] }))}
          change={(value) => (times.value = value as Times)}
        />
        <kbd>t</kbd>
      </div>
      {view.folds.sections.value.length > 0 && (
        <button type="button" onClick={() => view.folds.toggleAll()}>
          Fold or open all sections <kbd>O</kbd>
        </button>
      )}
      <Toggle name="Full screen" keys="z" on={full} set={setFull} />
      {copyLink && (
        <>
          <button type="button" onClick={copyLink}>
            Copy link <kbd>c</kbd>
          </button>
          <hr />
          <Download name="Download all" taskId={taskId} filter={{}} />
          {partly && <Download name="Download this view" taskId={taskId} filter={shown} />}
        </>
      )}
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
