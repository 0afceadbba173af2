import type { Signal } from "@preact/signals";
import type { RefObject } from "preact";
import { useMemo } from "preact/hooks";
import { announce } from "../state/announce";
import { useShortcuts, type Shortcut } from "../state/keys";
import { sectionAt } from "../state/log-sections";
import { nextTimes, setSwitch, times, TIME_WORDS, wrap } from "../state/log-settings";
import type { LogView } from "../state/log-view";
import type { Switch } from "../state/settings";
import { copyLink } from "./log-address";

/** Adds the shortcuts of the log. */
export function useLogKeys(
  view: LogView,
  field: RefObject<HTMLInputElement | null>,
  full: boolean,
  setFull: (full: boolean) => void,
  embedded: boolean,
): void {
  const shortcuts = useMemo<Shortcut[]>(() => {
    const all = [
      { keys: "/", description: "Search the whole log", run: () => field.current?.select() },
      { keys: "n", description: "Next hit", run: () => void view.find("next") },
      { keys: "N", description: "Previous hit", run: () => void view.find("previous") },
      { keys: "e", description: "Next error", run: () => void view.findError("next") },
      { keys: "E", description: "Previous error", run: () => void view.findError("previous") },
      { keys: "f", description: "Follow the end", run: () => (view.follow.value ? view.hold() : view.toEnd()) },
      { keys: "w", description: "Wrap lines", run: () => toggle("Wrap lines", wrap) },
      { keys: "t", description: "Times: by the clock, since the start, since the line before, none", run: changeTimes },
      { keys: "o", description: "Fold or open the section of the first line, or of the hit", run: () => fold(view) },
      { keys: "O", description: "Fold or open all sections", run: () => view.folds.toggleAll() },
      { keys: "z", description: "Full screen", run: () => setFull(!full) },
      { keys: "g g", description: "To the start", run: () => view.toTop() },
      { keys: "G", description: "To the end", run: () => view.toEnd() },
    ];
    const link = { keys: "c", description: "Copy a link to the marked lines", run: () => void copyLink(view) };
    return embedded ? all : [...all, link];
  }, [view, field, full, setFull, embedded]);
  useShortcuts("Log", shortcuts);
}

function fold(view: LogView): void {
  const at = view.current.value ?? view.top.value;
  const section = at === null ? null : sectionAt(view.folds.sections.value, at);
  if (section) view.fold(section);
}

function changeTimes(): void {
  nextTimes();
  announce(`Times: ${TIME_WORDS[times.value]}`);
}

function toggle(name: string, choice: Signal<Switch>): void {
  setSwitch(choice);
  announce(`${name}: ${choice.value}`);
}
