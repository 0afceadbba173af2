import type { ComponentChildren } from "preact";
import { mayAct } from "../state/app";
import { selection } from "../state/selection";

interface Props {
  id: string;
  name: string;
  /** The ids of the list, of which a range is a part. */
  order: () => readonly string[];
  /** The row. */
  children: ComponentChildren;
}

/** A row of the list with the box that selects it, which is seen under the pointer, with the focus, and while any is selected. */
export function Pickable({ id, name, order, children }: Props) {
  if (!mayAct.value) return <>{children}</>;
  const picked = selection.ids.value.has(id);
  const click = (event: MouseEvent): void => {
    if (event.shiftKey) selection.extend(id, order());
    else selection.toggle(id);
    // A range keeps a run that was selected before.
    (event.currentTarget as HTMLInputElement).checked = selection.ids.value.has(id);
  };
  return (
    <div class={`pickable${picked ? " picked" : ""}${selection.ids.value.size ? " picking" : ""}`} data-run={id}>
      {children}
      <label class="pick">
        <input type="checkbox" aria-label={`Select ${name}`} checked={picked} onClick={click} />
      </label>
    </div>
  );
}

/** Returns the id of the run whose row contains the element. */
export const idOf = (element: Element | null): string | null => element?.closest<HTMLElement>("[data-run]")?.dataset.run ?? null;
