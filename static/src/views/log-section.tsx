import { tickingServerNow } from "../state/clock";
import { quantity } from "../state/format";
import { linesBetween } from "../state/log-numbers";
import type { Section } from "../state/log-sections";
import type { LogView } from "../state/log-view";
import { duration, elapsed } from "../state/time";

interface Props {
  section: Section;
  view: LogView;
}

/** The header of a section between the lines of the log, which folds and opens it. */
export function SectionRow({ section, view }: Props) {
  const folded = view.folds.isFolded(section);
  return (
    <div class={`section-row ${section.kind}`} data-at={section.first} style={{ "--depth": section.depth }}>
      <button type="button" aria-expanded={!folded} onClick={() => view.folds.toggle(section)}>
        <Fold open={!folded} />
        <span class="section-name">{section.label}</span>
        {folded && <Folded section={section} view={view} />}
        <SectionFacts section={section} view={view} />
      </button>
    </div>
  );
}

/** How many lines a folded section hides. */
function Folded({ section: { first, last }, view: { store } }: Props) {
  void store.version.value;
  const lines = linesBetween(store, first, last);
  return lines === null ? null : <span class="section-lines">{quantity(lines, "line")}</span>;
}

/** How long a section took, or takes, and how many of its lines are errors: other errors are counted by its phase. */
export function SectionFacts({ section, view }: Props) {
  const { errors } = view.marks;
  void errors.version.value;
  const failed = errors.within(section.first, section.last);
  return (
    <span class="section-facts">
      {failed === "unknown" && <span>errors not counted</span>}
      {failed !== "unknown" && failed !== 0 && (
        <strong>
          <span aria-hidden="true">✕ </span>
          {failed === "some" ? "error lines" : quantity(failed, "error line")}
        </strong>
      )}
      <Duration section={section} />
    </span>
  );
}

/** Only the duration of an open section is drawn again each second. */
function Duration({ section: { startedAt, endedAt } }: { section: Section }) {
  const seconds = elapsed(startedAt, endedAt, endedAt ? 0 : tickingServerNow());
  return <span>{duration(seconds ?? 0)}</span>;
}

/** The mark of what is folded or open. */
export const Fold = ({ open }: { open: boolean }) => (
  <svg class="fold" viewBox="0 0 16 16" aria-hidden="true">
    <path d={open ? "m4 6 4 4 4-4" : "m6 4 4 4-4 4"} fill="none" stroke="currentColor" stroke-width="1.5" />
  </svg>
);
