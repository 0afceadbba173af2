import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { count } from "../state/format";
import { Numeral } from "../state/numeral";

const LONG_TEXT = 2_000;
const MOST_ITEMS = 100;
/** A value is open at first down to this depth, unless it is long. */
const OPEN_DEPTH = 2;
const OPEN_ITEMS = 30;
const PREVIEWED = 4;
const PREVIEW_LENGTH = 40;

/** A JSON value as a tree. Every string is shown as text. */
export function Json({ value, name, depth = 0 }: { value: unknown; name?: string; depth?: number }) {
  const key = name === undefined ? null : <span class="json-key">{name}</span>;
  if (typeof value !== "object" || value === null || value instanceof Numeral) {
    return (
      <div class="json-line">
        {key}
        <Scalar value={value} />
      </div>
    );
  }
  const list = Array.isArray(value);
  const entries = Object.entries(value);
  const size = list ? `[${count(entries.length)}]` : `{${count(entries.length)}}`;
  if (entries.length === 0) {
    return (
      <div class="json-line">
        {key}
        <span class="json-size">{list ? "[]" : "{}"}</span>
      </div>
    );
  }
  const items = <Items entries={entries} depth={depth} />;
  if (depth === 0 && name === undefined) return <div class="json">{items}</div>;
  return (
    <Branch
      opens={depth < OPEN_DEPTH && entries.length <= OPEN_ITEMS}
      summary={
        <>
          {key}
          <span class="json-size">{size}</span>
          <span class="json-preview">{preview(value)}</span>
        </>
      }
    >
      {items}
    </Branch>
  );
}

/** Returns the first values of a closed branch, to distinguish it from the next. */
const preview = (value: object): string =>
  Object.values(value)
    .filter((inner) => ["string", "number", "bigint", "boolean"].includes(typeof inner) || inner instanceof Numeral)
    .slice(0, PREVIEWED)
    .map((inner) => String(inner).slice(0, PREVIEW_LENGTH))
    .join(" · ");

/** A branch that is drawn when it is first opened: a result may have a hundred thousand values. */
function Branch(props: { opens: boolean; summary: ComponentChildren; children: ComponentChildren }) {
  const [drawn, draw] = useState(props.opens);
  return (
    <details open={props.opens} onToggle={(event) => event.currentTarget.open && draw(true)}>
      <summary>{props.summary}</summary>
      {drawn && props.children}
    </details>
  );
}

function Items({ entries, depth }: { entries: [string, unknown][]; depth: number }) {
  const [shown, show] = useState(MOST_ITEMS);
  return (
    <div class="json-items">
      {entries.slice(0, shown).map(([name, value]) => (
        <Json key={name} name={name} value={value} depth={depth + 1} />
      ))}
      {shown < entries.length && (
        <button type="button" class="plain" onClick={() => show(shown + 10 * MOST_ITEMS)}>
          {count(entries.length - shown)} more
        </button>
      )}
    </div>
  );
}

function Scalar({ value }: { value: unknown }) {
  if (typeof value === "string") return <Text text={value} />;
  return <code class="json-value">{String(value)}</code>;
}

/** A text with its line breaks. A long one is cut until the user wants all of it. */
export function Text({ text }: { text: string }) {
  const [whole, setWhole] = useState(text.length <= LONG_TEXT);
  const shown = whole ? text : text.slice(0, LONG_TEXT);
  return (
    <span class="json-text">
      {shown}
      {!whole && (
        <>
          …{" "}
          <button type="button" class="plain" onClick={() => setWhole(true)}>
            Show all {count(text.length)} characters
          </button>
        </>
      )}
    </span>
  );
}
