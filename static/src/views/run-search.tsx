import { useMemo, useRef } from "preact/hooks";
import { EVERYWHERE, useShortcuts } from "../state/keys";
import { find } from "../state/run-search";

/** One field for both: an id or its beginning opens that run, anything else searches the list. */
export function Search() {
  const field = useRef<HTMLInputElement>(null);
  useShortcuts(
    EVERYWHERE,
    useMemo(() => [{ keys: "/", says: "Search runs", run: () => field.current?.select() }], []),
  );
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const text = field.current?.value.trim() ?? "";
    field.current?.blur();
    void find(text);
  };
  return (
    <form class="find" role="search" onSubmit={submit}>
      <input
        ref={field}
        type="search"
        aria-label="Search runs, or open one by its id"
        placeholder="Search or #id"
        autocomplete="off"
        spellcheck={false}
        maxLength={200}
      />
    </form>
  );
}
