import type { RefObject } from "preact";
import type { User } from "../client/types";
import { listAddress, type RunFilter } from "../state/filter";
import { KEYS_ADDRESS, WAYS_IN_HASH } from "../state/routes";
import { Link } from "./link";
import { FilterSheet } from "./filter-sheet";
import { FewFilters } from "./list-filters";
import { SavedViews } from "./saved-views";
import { ScopeLinks } from "./scope-links";
import { Search } from "./search";
import { SelectMode } from "./select-bar";

const TYPED_MS = 200;

interface Props {
  user: User;
  filter: RunFilter;
  change: (changes: Partial<RunFilter>) => void;
  search: RefObject<HTMLInputElement | null>;
  /** There are no runs yet, so nothing can be searched. */
  first: boolean;
  start?: () => void;
}

/** Whose runs are listed, the filters of the list without the status, and the button for a new run. */
export function ListTools({ user, filter, change, search, first, start }: Props) {
  return (
    <div class="list-tools">
      <h1>{first ? "You have run nothing yet" : "Runs"}</h1>
      <ScopeLinks user={user} scope={filter.scope} to={(scope) => listAddress({ ...filter, scope, who: "" })} />
      <search class="list-filters">
        {!first && (
          <Search
            field={search}
            label="Search runs"
            placeholder="Title, job or id"
            value={filter.q}
            delay={TYPED_MS}
            change={(q) => change({ q })}
          />
        )}
        {!first && <FilterSheet {...{ filter, change }} />}
        {!first && <FewFilters {...{ filter, change }} />}
        {!first && <SavedViews user={user} />}
        {!first && <SelectMode />}
      </search>
      {start && !first && (
        <Link class="hint" to={`${KEYS_ADDRESS}#${WAYS_IN_HASH}`}>
          Report your own tasks
        </Link>
      )}
      {start && (
        <button type="button" class="primary" onClick={start}>
          New run
        </button>
      )}
    </div>
  );
}
