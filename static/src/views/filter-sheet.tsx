import { useState } from "preact/hooks";
import { filtersSet, listAddress, type RunFilter } from "../state/filter";
import "../style/filter-sheet.css";
import { Dialog } from "./dialog";
import { Link } from "./link";
import { FewFilters, ListFilters } from "./list-filters";

interface Props {
  filter: RunFilter;
  change: (changes: Partial<RunFilter>) => void;
}

/** On a phone: a button that says how many filters are set, and the sheet that it opens with all of them. */
export function FilterSheet({ filter, change }: Props) {
  const [open, setOpen] = useState(false);
  const set = filtersSet(filter);
  return (
    <>
      <button type="button" class="filters-open" aria-haspopup="dialog" onClick={() => setOpen(true)}>
        Filters{set > 0 && <b class="number"> {set}</b>}
      </button>
      {open && (
        <Dialog label="Filters" class="filter-sheet" close={() => setOpen(false)}>
          <h2>Filters</h2>
          <FewFilters {...{ filter, change }} />
          <ListFilters {...{ filter, change }} />
          <div class="filter-sheet-end">
            {set > 0 && <Link to={listAddress({ scope: filter.scope, status: filter.status, approval: filter.approval, q: filter.q })}>Clear {set === 1 ? "it" : "them"}</Link>}
            <button type="button" class="primary" onClick={() => setOpen(false)}>
              Show the runs
            </button>
          </div>
        </Dialog>
      )}
    </>
  );
}
