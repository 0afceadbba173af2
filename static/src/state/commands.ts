import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

/** Something that the page can do without a key of its own; the palette lists it. */
interface Command {
  name: string;
  /** What it is called when it is to be taken a second time: it cannot be undone. */
  sure?: string;
  run: () => void;
}

/** The commands of the page that is shown. */
export const commands = signal<readonly Command[]>([]);

/** Adds a command while the component is mounted; without a name it adds none. */
export function useCommand(name: string, run: () => void, sure?: string): void {
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    if (!name) return;
    const command: Command = { name, run: () => latest.current(), ...(sure ? { sure } : {}) };
    commands.value = [...commands.value, command];
    return () => {
      commands.value = commands.value.filter((other) => other !== command);
    };
  }, [name, sure]);
}
