import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { User } from "../client/types";
import { go } from "../state/address";
import { api } from "../state/app";
import { readsTenant } from "../state/filter";
import { quantity } from "../state/format";
import { loadJobTypes } from "../state/jobs";
import { statusWord } from "../state/marks";
import { Palette as Offer, type Entry } from "../state/palette";
import { localEntries, take } from "../state/palette-entries";
import { typedEarly } from "../state/palette-keys";
import { searchAddress } from "../state/run-search";
import { loadTaskTypes } from "../state/task-types";
import "../style/palette.css";
import { Dialog } from "./dialog";
import { TaskMark } from "./marks";
import { ProblemMessage } from "./problem-message";

const PAGE = 8;
const LONGEST = 200;

interface Props {
  user: User;
  /** Opens the form of a job type. */
  start: (jobType: string) => void;
  close: () => void;
}

/** The command palette: an editable combobox whose list is always open, after the ARIA pattern:
 * https://www.w3.org/WAI/ARIA/apg/patterns/combobox/ */
export function Palette({ user, start, close }: Props) {
  const offer = useMemo(() => {
    const searchAll = (text: string): void => void searchAddress(text, api).then((to) => go(to));
    const scope = readsTenant(user) ? "tenant" : undefined;
    return new Offer(() => localEntries(String(user.id), start), api, scope, searchAll);
  }, [user.id]);
  const [asking, ask] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    const text = typedEarly();
    if (text && field.current) offer.type((field.current.value = text));
  }, []);
  useEffect(() => {
    void loadJobTypes();
    void loadTaskTypes(readsTenant(user) ? "tenant" : "mine");
    return () => offer.stop();
  }, [offer]);
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const entries = offer.entries.value;
  const active = offer.active.value;
  useEffect(() => {
    if (asking !== active?.id) ask(null);
    list.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [active?.id]);

  const choose = (entry: Entry, apart: boolean): void => {
    offer.mark(entry.id);
    if (entry.sure && asking !== entry.id) return ask(entry.id);
    close();
    // After the dialog has given the focus back, which the action may move.
    setTimeout(() => take(entry, apart));
  };
  const press = (event: KeyboardEvent): void => {
    const move = moveOf(event.key);
    if (event.isComposing || (!move && event.key !== "Enter")) return;
    event.preventDefault();
    if (move) move(offer);
    else if (active && !event.repeat) choose(active, event.ctrlKey || event.metaKey);
  };
  const optionId = (entry: Entry): string => `${id}-${entries.indexOf(entry)}`;
  const groups = [...new Set(entries.map(({ group }) => group))];
  return (
    <Dialog label="Search or go to" class="palette" close={close}>
      <div class="palette-head">
        <input
          ref={field}
          type="text"
          role="combobox"
          aria-label="Search runs, jobs, pages and actions"
          aria-expanded="true"
          aria-autocomplete="list"
          aria-controls={id}
          aria-activedescendant={active ? optionId(active) : undefined}
          placeholder="Search runs, jobs, pages and actions"
          maxLength={LONGEST}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          autofocus
          onInput={(event) => offer.type(event.currentTarget.value)}
          onKeyDown={press}
        />
        <button type="button" class="quiet" onClick={close}>
          Close
        </button>
      </div>
      <div
        ref={list}
        id={id}
        class="palette-list"
        role="listbox"
        aria-label="Results"
        tabIndex={-1}
        onMouseDown={(event) => event.preventDefault()} // the field keeps the focus
      >
        {groups.map((group) => (
          <div key={group} role="group" aria-labelledby={`${id}-${group}`}>
            <h3 role="presentation" id={`${id}-${group}`}>
              {group}
            </h3>
            {entries
              .filter((entry) => entry.group === group)
              .map((entry) => (
                <div
                  key={entry.id}
                  id={optionId(entry)}
                  role="option"
                  aria-selected={entry === active}
                  class={asking === entry.id ? "asking" : undefined}
                  onPointerMove={() => entry !== active && offer.mark(entry.id)}
                  onClick={(event) => choose(entry, event.ctrlKey || event.metaKey)}
                >
                  {asking === entry.id ? <span class="palette-name">{entry.sure}? Once more does it.</span> : <Line entry={entry} />}
                </div>
              ))}
          </div>
        ))}
      </div>
      {offer.problem.value && <ProblemMessage problem={offer.problem.value}> Runs cannot be searched now.</ProblemMessage>}
      <p class="hidden-text" role="status">
        {asking ? `${active?.sure}? Press Enter once more.` : offer.isSearching.value ? "" : quantity(entries.length, "result")}
      </p>
    </Dialog>
  );
}

/** What a key does to the mark; null for a key that belongs to the field. */
function moveOf(key: string): ((offer: Offer) => void) | null {
  switch (key) {
    case "ArrowDown":
      return (offer) => offer.step(1);
    case "ArrowUp":
      return (offer) => offer.step(-1);
    case "PageDown":
      return (offer) => offer.leap(PAGE);
    case "PageUp":
      return (offer) => offer.leap(-PAGE);
    default:
      return null;
  }
}

function Line({ entry }: { entry: Entry }) {
  const { name, about, keys, status, at = [] } = entry;
  return (
    <>
      {status && <TaskMark status={status} word={statusWord(status)} />}
      <bdi class="palette-name">{parts(name, new Set(at)).map(([text, found], n) => (found ? <mark key={n}>{text}</mark> : text))}</bdi>
      {about && <span class="palette-about">{about}</span>}
      {keys && (
        <span class="palette-keys">
          {keys.split(" ").map((key, n) => (
            <kbd key={n}>{key}</kbd>
          ))}
        </span>
      )}
    </>
  );
}

/** Splits a name where the letters that were searched for begin and end. */
function parts(name: string, at: ReadonlySet<number>): [string, boolean][] {
  const found: [string, boolean][] = [];
  for (let n = 0; n < name.length; n += 1) {
    const last = found.at(-1);
    if (last && last[1] === at.has(n)) last[0] += name[n];
    else found.push([name[n] as string, at.has(n)]);
  }
  return found;
}
