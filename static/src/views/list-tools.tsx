import type { RefObject } from "preact";
import type { User } from "../client/types";
import { listAddress, type RunFilter } from "../state/filter";
import { jobTypes } from "../state/jobs";
import { KEYS_ADDRESS, WAYS_IN_HASH } from "../state/routes";
import { taskTypes } from "../state/task-types";
import { typeNames } from "../state/type-names";
import { Choice } from "./choice";
import { Link } from "./link";
import { FewFilters, FiltersToggle, Who } from "./list-filters";
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
  const known = typeNames(jobTypes.value, taskTypes.value, filter.job_type);
  const jobs = [{ value: "", name: "Any job" }, ...known.map((name) => ({ value: name, name }))];
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
        {!first && <FiltersToggle filter={filter} />}
        {!first && (
          <FewFilters>
            <Choice label="Job" value={filter.job_type} options={jobs} change={(job_type) => change({ job_type })} />
            <Who {...{ filter, change }} />
          </FewFilters>
        )}
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
