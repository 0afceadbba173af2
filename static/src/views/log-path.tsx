import { pathOf, sectionAt } from "../state/log-sections";
import type { LogView } from "../state/log-view";
import { Fold, SectionFacts } from "./log-section";

/** The sections of the first line in view, the innermost last: the headers that have been scrolled past. */
export function LogPath({ view }: { view: LogView }) {
  const { folds } = view;
  const sections = folds.sections.value;
  if (!sections.length) return null;
  const at = view.top.value;
  const path = at === null ? [] : pathOf(sectionAt(sections, at));
  const inner = path.at(-1);
  return (
    <div class="log-path" role="group" aria-label="Sections of the first line">
      <span class="path-names">
        {!inner && <span class="path-none">Whole log</span>}
        {path.map((section) => (
          <button
            key={section.first}
            type="button"
            aria-expanded={!folds.isFolded(section)}
            title="Fold (o)"
            onClick={() => view.fold(section)}
          >
            <Fold open={!folds.isFolded(section)} />
            <span>{section.label}</span>
          </button>
        ))}
      </span>
      {inner && <SectionFacts section={inner} view={view} />}
    </div>
  );
}
