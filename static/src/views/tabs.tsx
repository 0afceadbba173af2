import { useRef } from "preact/hooks";

export interface Tab {
  /** The part of its address after `#`. */
  id: string;
  name: string;
}

/** Tabs with addresses. Arrow keys go from one to the next. */
export function Tabs({ tabs, chosen }: { tabs: readonly Tab[]; chosen: string }) {
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
          tabIndex={id === chosen ? 0 : -1}
        >
          {name}
        </a>
      ))}
    </div>
  );
}
