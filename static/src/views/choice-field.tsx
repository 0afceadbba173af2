import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Choice, type ChoiceProps } from "./choice";
import { FieldName } from "./field-name";

/** A choice of a form with its name above it; below it are its description and its errors. */
export function ChoiceField({ children, ...choice }: ChoiceProps & { children?: ComponentChildren }) {
  const id = useId();
  // As with every field, a click on the name focuses it; without this the list opens too.
  const focus = (event: Event): void => {
    event.preventDefault();
    document.getElementById(id)?.focus();
  };
  return (
    <div class="field">
      <label for={id} onClick={focus}>
        <FieldName name={choice.label} required={choice.required ?? false} />
      </label>
      <Choice {...choice} id={id} />
      {children}
    </div>
  );
}
