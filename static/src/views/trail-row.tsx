import type { ComponentChildren } from "preact";
import type { TrailEntry } from "../client/account";
import { refusedCall } from "../state/refused-call";
import { runAddress } from "../state/routes";
import { deedOf, doerOf, isBulk, isForeign, MANY, refusalOf } from "../state/trail";
import { Link } from "./link";
import { Time } from "./time";

interface Props {
  entry: TrailEntry;
  /** Whether the reader did it. */
  mine: boolean;
  /** Shows only what this account did. */
  only: (who: string) => void;
  /** Stands below the sentence. */
  children?: ComponentChildren;
}

const RUN = /^run ([0-9a-f-]{36})$/;

/** One entry of the trail as a sentence: who did what to what, and how. */
export function TrailRow({ entry, mine, only, children }: Props) {
  const { user_id, key_name, address, owner, number, last_at } = entry;
  const refusal = refusalOf(entry);
  const made = RUN.exec(entry.note)?.[1];
  const doer = mine ? "You" : doerOf(entry);
  const said = [owner && `of ${owner}`, isBulk(entry) && entry.title, key_name && `by the key ${key_name}`, address && `from ${address}`, noteOf(entry)].filter(Boolean).join(" · ");
  return (
    <li class={refusal ? "refused" : undefined}>
      <Time at={entry.at} as="minute" focusable />
      <div>
        <p>
          {user_id ? (
            <button type="button" class="plain doer" title={`Only what ${mine ? "you" : doer} did`} onClick={() => only(user_id)}>
              {doer}
            </button>
          ) : (
            <strong>{doer}</strong>
          )}{" "}
          {mine ? deedOf(entry).replace(/^was /, "were ") : deedOf(entry)} <Target entry={entry} />
          {refusal && <em class="s-fail"> · {refusal}</em>}
          {entry.refused > 0 && <em class="s-fail"> · {entry.refused.toLocaleString("en")} refused</em>}
          {number > 1 && !isBulk(entry) && (
            <span class="number">
              {" "}
              {number.toLocaleString("en")} times{last_at && ", the last at "}
              {last_at && <Time at={last_at} as="minute" />}
            </span>
          )}
        </p>
        <p class="hint">
          {said}
          {refusal && number > 1 && entry.target && (
            <>
              {said && " · "}the first: <First entry={entry} />
            </>
          )}
          {made && (
            <>
              {" · "}
              <Link to={runAddress(made)}>the new run</Link>
            </>
          )}
        </p>
        {children}
      </div>
    </li>
  );
}

function Target({ entry }: { entry: TrailEntry }) {
  const { action, kind, target, title, number } = entry;
  if (action === "refused") return <RefusedCall entry={entry} />;
  if (isBulk(entry)) {
    const runs = number === 1 ? "1 run" : `${number.toLocaleString("en")} runs`;
    return isForeign(entry) ? <strong>{runs}</strong> : <Link to={runAddress(target ?? "")}>{runs}</Link>;
  }
  if (kind === "task" && target) return <Link to={runAddress(target)}>{title}</Link>;
  return title ? <strong>{title}</strong> : null;
}

/** What was refused. Several refusals may be about several things, of which the first is known. */
function RefusedCall({ entry }: { entry: TrailEntry }) {
  const { before, thing, after } = refusedCall(entry);
  return (
    <>
      {before} {entry.number > 1 || !entry.target ? thing : <First entry={entry} />} {after}
    </>
  );
}

function First({ entry: { kind, target } }: { entry: TrailEntry }) {
  if (kind === "task") return <Link to={runAddress(target ?? "")}>a run</Link>;
  return (
    <>
      the {kind} <strong>{target}</strong>
    </>
  );
}

/** Returns what else is said of it: a reason, or what the entry was made of. */
function noteOf({ note, action }: TrailEntry): string {
  if (note === MANY || note.startsWith("share=") || RUN.test(note)) return "";
  return note && action === "reject" ? `“${note}”` : note;
}
