import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

const LONGEST = 200;

interface Props {
  label: string;
  placeholder: string;
  title?: string;
  class?: string;
  field?: RefObject<HTMLInputElement | null>;
  /** The text that is searched for; it may also change elsewhere, as by the history. */
  value: string;
  /** Gets the text after this many milliseconds without a key, or at Enter. */
  delay?: number;
  change?: (text: string) => void;
  /** Enter, when the text is searched for already. */
  submit?: (text: string, backwards: boolean) => void;
  /** Stops a search that is under way; returns false when there is none. */
  cancel?: () => boolean;
}

/** A search field. Escape stops the search, then clears the text, then leaves the field. */
export function Search({ value, delay = 0, change, submit, cancel, label, field, ...rest }: Props) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  useEffect(() => {
    if (value !== sent.current) setText((sent.current = value));
  }, [value]);

  const send = (next: string): void => {
    clearTimeout(timer.current);
    sent.current = next;
    change?.(next);
  };
  const type = (next: string): void => {
    setText(next);
    clearTimeout(timer.current);
    if (delay) timer.current = setTimeout(() => send(next), delay);
    else send(next);
  };
  const escape = (input: HTMLInputElement): void => {
    clearTimeout(timer.current);
    if (cancel?.()) return;
    if (!input.value) input.blur();
    setText("");
    send("");
  };
  const press = (event: KeyboardEvent & { currentTarget: HTMLInputElement }): void => {
    const input = event.currentTarget;
    if (event.key === "Enter" && !event.isComposing) {
      if (change && input.value !== sent.current) send(input.value);
      else submit?.(input.value, event.shiftKey);
    } else if (event.key === "Escape") {
      // Otherwise it would also end the full screen around the field.
      event.stopPropagation();
      event.preventDefault();
      escape(input);
    }
  };
  return (
    <input
      type="search"
      aria-label={label}
      maxLength={LONGEST}
      autocomplete="off"
      spellcheck={false}
      value={text}
      onInput={(event) => type(event.currentTarget.value)}
      onKeyDown={press}
      {...(field ? { ref: field } : {})}
      {...rest}
    />
  );
}
