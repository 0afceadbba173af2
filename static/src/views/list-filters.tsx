import { useState } from "preact/hooks";
import { durationBounds, durationChoices, durationOf } from "../state/durations";
import { folds, type RunFilter } from "../state/filter";
import { rangeText } from "../state/histogram";
import { TIMES, timeText, type TimeName } from "../state/list-times";
import { jobTypes } from "../state/jobs";
import { people } from "../state/people";
import { taskTypes } from "../state/task-types";
import { typeNames } from "../state/type-names";
import "../style/list-filters.css";
import { Choice } from "./choice";
import { Dialog } from "./dialog";

interface Props {
  filter: RunFilter;
  change: (changes: Partial<RunFilter>) => void;
}

const CHOSEN = "chosen";
const OTHER = "other";

/** The job and the person of a list. */
export function FewFilters({ filter, change }: Props) {
  const known = typeNames(jobTypes.value, taskTypes.value, filter.job_type);
  const jobs = [{ value: "", name: "Any job" }, ...known.map((name) => ({ value: name, name }))];
  return (
    <div class="few-filters">
      <Choice label="Job" value={filter.job_type} options={jobs} change={(job_type) => change({ job_type })} />
      <Who {...{ filter, change }} />
    </div>
  );
}

/** Of whose runs of the team alone. */
function Who({ filter, change }: Props) {
  if (filter.scope === "mine") return null;
  const known = people.value[filter.scope] ?? [];
  const anyone = [{ value: "", name: "Anyone" }, ...known.map(({ user_id, name }) => ({ value: user_id, name: name ?? `Another user (${user_id.slice(0, 8)})` }))];
  if (filter.who && !known.some(({ user_id }) => user_id === filter.who)) anyone.push({ value: filter.who, name: "One user" });
  return <Choice label="Who" value={filter.who} options={anyone} change={(who) => change({ who })} />;
}

/** The filters of the list that are about times, durations and errors, and whether steps are folded. */
export function ListFilters({ filter, change }: Props) {
  const [asking, ask] = useState(false);
  const { from, to, time } = filter;
  const chosen = from || to;
  const times = [
    { value: "", name: "Any time" },
    ...TIMES,
    ...(chosen ? [{ value: CHOSEN, name: chosenText(filter) }] : []),
    { value: OTHER, name: "Other times…" },
  ];
  const choose = (value: string): void => {
    if (value === OTHER) ask(true);
    else if (value !== CHOSEN) change({ time: value as TimeName | "", from: "", to: "" });
  };
  return (
    <div class="more-filters">
      <Choice label="Time" value={chosen ? CHOSEN : time} options={times} change={choose} />
      <Choice label="Duration" value={durationOf(filter)} options={durationChoices(filter)} change={(value) => change(durationBounds(value))} />
      <button type="button" class="quiet" aria-pressed={filter.errors} onClick={() => change({ errors: !filter.errors })}>
        With errors
      </button>
      <button type="button" class="quiet" aria-pressed={!folds(filter)} disabled={filter.q !== ""} onClick={() => change({ steps: !filter.steps })}>
        Steps
      </button>
      {asking && <OtherTimes filter={filter} close={() => ask(false)} change={change} />}
    </div>
  );
}

function chosenText({ from, to }: RunFilter): string {
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  if (!to) return `Since ${rangeText(begin, begin + 1).split("–")[0]}`;
  return from ? rangeText(begin, end) : `Before ${rangeText(end, end + 1).split("–")[0]}`;
}

/** Asks for a begin and an end, in the time of the reader. */
function OtherTimes({ filter, close, change }: Props & { close: () => void }) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const given = new FormData(event.currentTarget as HTMLFormElement);
    const at = (name: string): string => (given.get(name) ? timeText(Date.parse(String(given.get(name)))) : "");
    change({ from: at("from"), to: at("to") });
    close();
  };
  return (
    <Dialog label="Runs that were made" class="times-dialog" close={close}>
      <form class="times-form" onSubmit={submit}>
        <h2>Runs that were made</h2>
        <label>
          From
          <input type="datetime-local" name="from" defaultValue={localText(filter.from)} />
        </label>
        <label>
          To
          <input type="datetime-local" name="to" defaultValue={localText(filter.to)} />
        </label>
        <div class="times-buttons">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="primary">
            Show
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** As a field of a time has it, in the time zone of the reader. */
function localText(at: string): string {
  if (!at) return "";
  const time = new Date(at);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
