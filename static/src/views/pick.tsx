import { mayAct } from "../state/app";
import { selection } from "../state/selection";

interface Props {
  id: string;
  name: string;
  /** The ids of the list, of which a range is a part. */
  order: () => readonly string[];
}

/** The box that selects a run of the list, over its mark; it is seen under the pointer, with the focus, and while any run is selected. */
export function Pick({ id, name, order }: Props) {
  if (!mayAct.value) return null;
  const picked = selection.ids.value;
  const click = (event: MouseEvent): void => {
    if (event.shiftKey) selection.extend(id, order());
    else selection.toggle(id);
    // A range keeps a run that was selected before.
    (event.currentTarget as HTMLInputElement).checked = selection.ids.value.has(id);
  };
  return (
    <label class={picked.size || selection.choosing.value ? "pick on" : "pick"} data-run={id}>
      <input type="checkbox" aria-label={`Select ${name}`} checked={picked.has(id)} onClick={click} />
    </label>
  );
}

/** Returns the id of the run whose row contains the element. */
export const idOf = (element: Element | null): string | null =>
  element?.closest(".row-line")?.querySelector<HTMLElement>("[data-run]")?.dataset.run ?? null;
