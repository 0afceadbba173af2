import { useRef } from "preact/hooks";
import { go } from "../state/address";
import type { Tab } from "../state/run-tabs";

interface Props {
  tabs: readonly Tab[];
  chosen: string;
  /** Whether going to one is no new entry of the history, as in a frame, whose entries are those of the page around it. */
  replace?: boolean;
}

/** Tabs with addresses. Arrow keys go from one to the next. */
export function Tabs({ tabs, chosen, replace = false }: Props) {
  const list = useRef<HTMLDivElement>(null);
  const step = (event: KeyboardEvent): void => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || !list.current) return;
    const links = [...list.current.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    const next = links.at((at + by) % links.length);
    next?.focus();
    next?.click();
    event.preventDefault();
  };
  return (
    <div class="tabs" role="tablist" aria-label="What is shown of the run" ref={list} onKeyDown={step}>
      {tabs.map(({ id, name }) => (
        <a
          key={id}
          id={`tab-${id}`}
          href={`#${id}`}
          role="tab"
          aria-selected={id === chosen}
          aria-controls="panel"
          onClick={(event) => replace && follow(event, id)}
          tabIndex={id === chosen ? 0 : -1}
        >
          {name}
        </a>
      ))}
    </div>
  );
}

function follow(event: MouseEvent, id: string): void {
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  go(`${location.pathname}${location.search}#${id}`, true);
}
