import { useMemo, useRef } from "preact/hooks";
import { go } from "../state/address";
import { api } from "../state/app";
import { EVERYWHERE, useShortcuts } from "../state/keys";
import { searchAddress } from "../state/run-search";
import { Search } from "./search";

/** The search of the header: an id or its beginning opens that run, any other text searches the list. */
export function RunSearch() {
  const field = useRef<HTMLInputElement>(null);
  useShortcuts(
    EVERYWHERE,
    useMemo(() => [{ keys: "/", description: "Search runs", run: () => field.current?.select() }], []),
  );
  const submit = async (text: string): Promise<void> => {
    field.current?.blur();
    go(await searchAddress(text.trim(), api));
  };
  return (
    <search class="find">
      <Search
        field={field}
        label="Search runs, or open one by its id"
        placeholder="Search or #id"
        value=""
        submit={(text) => void submit(text)}
      />
    </search>
  );
}
