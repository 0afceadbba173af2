import { useEffect, useId, useRef, useState } from "preact/hooks";
import "../style/choice.css";
import { Chevron } from "./chevron";

interface Option {
  value: string;
  name: string;
  /** What it is, in small below its name. */
  about?: string;
}

export interface ChoiceProps {
  label: string;
  value: string;
  options: readonly Option[];
  change: (value: string) => void;
  id?: string;
}

/** Keys typed within this time are the beginning of one name. */
const TYPED_MS = 700;

/** One of several, chosen from a list that opens: the focus stays on the button, as in the pattern of a select-only combobox. */
export function Choice({ label, value, options, change, id }: ChoiceProps) {
  const list = useId();
  const box = useRef<HTMLDivElement>(null);
  const typed = useRef({ text: "", at: 0 });
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(0);
  const chosen = Math.max(0, options.findIndex((option) => option.value === value));

  useEffect(() => {
    if (!open) return;
    const outside = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  useEffect(() => {
    if (open) box.current?.querySelector(".active")?.scrollIntoView({ block: "nearest" });
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
  const type = (key: string): void => {
    const { text, at } = typed.current;
    const begun = Date.now() - at < TYPED_MS ? text + key : key;
    typed.current = { text: begun, at: Date.now() };
    const found = options.findIndex(({ name }) => name.toLowerCase().startsWith(begun.toLowerCase()));
    if (found >= 0) show(found);
  };
  const press = (event: KeyboardEvent): void => {
    const { key } = event;
    const at = open ? active : chosen;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: options.length - 1 }[key];
    if (to !== undefined) show(open || key === "Home" || key === "End" ? Math.min(options.length - 1, Math.max(0, to)) : chosen);
    else if (key === "Enter" || key === " ") open ? take(active) : show(chosen);
    else if (key === "Escape" && open) setOpen(false);
    else if (key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) type(key);
    else {
      if (key === "Tab") setOpen(false);
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="choice" ref={box}>
      <button
        type="button"
        id={id}
        class="choice-button"
        role="combobox"
        aria-label={label}
        aria-haspopup="listbox"
        aria-expanded={open}
        aria-controls={list}
        aria-activedescendant={open ? `${list}-${active}` : undefined}
        onClick={() => (open ? setOpen(false) : show(chosen))}
        onKeyDown={press}
      >
        <span>{options[chosen]?.name ?? ""}</span>
        <Chevron open={open} />
      </button>
      <div id={list} class="choice-list" role="listbox" aria-label={label} hidden={!open}>
        {options.map((option, at) => (
          <div
            key={option.value}
            id={`${list}-${at}`}
            role="option"
            aria-selected={at === chosen}
            class={at === active ? "active" : undefined}
            onPointerMove={() => setActive(at)}
            onClick={() => take(at)}
          >
            <span>{option.name}</span>
            {option.about && <small>{option.about}</small>}
          </div>
        ))}
      </div>
    </div>
  );
}
