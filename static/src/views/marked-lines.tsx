import { useEffect, useState } from "preact/hooks";
import { copy } from "../state/clipboard";
import { count } from "../state/format";
import { textOf } from "../state/log-copy";
import { numberOf } from "../state/log-numbers";
import type { LoadLog } from "../state/log-source";
import type { LogView } from "../state/log-view";
import { copyLink, markInAddress, reportCopy } from "./log-address";

/** The marked lines of the log, and what can be done with them. */
export function MarkedLines({ view, load, linked }: { view: LogView; load: LoadLog; linked: boolean }) {
  const [copied, setCopied] = useState(false);
  const range = view.range.value;
  useEffect(() => setCopied(false), [range]);
  if (!range) return null;
  // The lines may come later than the address.
  void view.source.value.version.value;
  const { from, to } = range;
  const [first, last] = [count(numberOf(view.store, from)), count(numberOf(view.store, to))];
  const copyLines = async (): Promise<void> => {
    setCopied(await reportCopy(view, textOf(load, range).then(copy), "Lines copied"));
  };
  const clear = (): void => {
    view.unmark();
    markInAddress("");
  };
  return (
    <div class="marked-lines">
      <span>{from === to ? `Line ${first}` : `Lines ${first} to ${last}`}</span>
      <button type="button" class="plain" onClick={() => void copyLines()}>
        {copied ? "Copied" : "Copy"}
      </button>
      {linked && (
        <button type="button" class="plain" onClick={() => void copyLink(view)}>
          Copy link
        </button>
      )}
      <button type="button" class="plain" onClick={clear}>
        Clear
      </button>
    </div>
  );
}
