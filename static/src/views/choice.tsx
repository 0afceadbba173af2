import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ListKeys } from "../state/list-keys";
import "../style/choice.css";
import { Chevron } from "./chevron";
import { placeList } from "./list-place";

interface Option {
  value: string;
  name: string;
}

export interface ChoiceProps {
  label: string;
  value: string;
  options: readonly Option[];
  change: (value: string) => void;
  id?: string;
  /** The name under which a form submits the value. */
  name?: string;
  required?: boolean;
  disabled?: boolean;
  invalid?: boolean;
  /** The id of what describes it, its errors for example. */
  describedBy?: string;
}

/** One of several, chosen from a list that opens: the focus stays on the button, as in the pattern of a select-only combobox. */
export function Choice({ label, value, options, change, ...props }: ChoiceProps) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const keys = useRef(new ListKeys());
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const chosen = Math.max(0, options.findIndex((option) => option.value === value));

  useEffect(() => {
    if (!open) return;
    const outside = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);
  // Above everything, so that no dialog cuts it off; it stays at its button while what is around the button moves.
  useLayoutEffect(() => {
    const popover = list.current;
    if (!open || !popover) return;
    popover.showPopover();
    let frame = 0;
    const place = (): void => {
      if (button.current && placeList(popover, button.current)) frame = requestAnimationFrame(place);
      else setOpen(false);
    };
    place();
    return () => {
      cancelAnimationFrame(frame);
      popover.hidePopover();
    };
  }, [open]);
  useEffect(() => {
    if (open) list.current?.children[active]?.scrollIntoView({ block: "nearest" });
  }, [open, active]);

  const show = (at: number): void => {
    setActive(at);
    setOpen(true);
  };
  const take = (at: number): void => {
    setOpen(false);
    const option = options[at];
    if (option && option.value !== value) change(option.value);
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key === "Tab" && open) return take(active);
    const names = options.map((option) => option.name);
    const meaning = keys.current.meaning(event, { names, at: open ? active : chosen, open }, event.timeStamp);
    if (!meaning) return;
    event.preventDefault();
    event.stopPropagation();
    if (meaning === "close") setOpen(false);
    else if (meaning === "take") take(active);
    else show(meaning.show);
  };
  const click = (): void => {
    button.current?.focus(); // Safari focuses no button that is clicked
    open ? setOpen(false) : show(chosen);
  };
  return (
    <div class="choice" ref={box}>
      <button
        type="button"
        id={props.id}
        ref={button}
        class="choice-button"
        role="combobox"
        aria-label={label}
        aria-haspopup="listbox"
        aria-expanded={open}
        aria-controls={id}
        aria-activedescendant={open ? `${id}-${active}` : undefined}
        aria-required={props.required}
        aria-invalid={props.invalid}
        aria-describedby={props.describedBy}
        disabled={props.disabled}
        onClick={click}
        onKeyDown={press}
        onKeyUp={(event) => event.key === " " && event.preventDefault()} // Firefox clicks when the space bar is let go
      >
        <span>{options[chosen]?.name ?? ""}</span>
        <Chevron open={open} />
      </button>
      {props.name && <input type="hidden" name={props.name} value={value} disabled={props.disabled} />}
      <div
        ref={list}
        id={id}
        class="choice-list"
        role="listbox"
        aria-label={label}
        popover="manual"
        onMouseDown={(event) => event.preventDefault()} // the button keeps the focus
      >
        {options.map((option, at) => (
          <div
            key={option.value}
            id={`${id}-${at}`}
            role="option"
            aria-selected={at === chosen}
            class={at === active ? "active" : undefined}
            onPointerMove={() => setActive(at)}
            onClick={() => take(at)}
          >
            {option.name}
          </div>
        ))}
      </div>
    </div>
  );
}
