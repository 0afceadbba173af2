import type { LogSection } from "./logTypes";
import type { TaskEvent } from "./types";

/** Of a task: what begins after them is in the section around it. */
const MOST_SECTIONS = 500;
/** Groups within one another. */
const MOST_OPEN_GROUPS = 8;

type Sections = readonly LogSection[];

/** Returns the sections of a log after an event, the same array when it changes none; a part of the fold. `retries`: of
 * the task, after the event. */
export function sectionsAfter(found: Sections, event: TaskEvent, retries: number | null): Sections {
  switch (event.type) {
    case "log_group": {
      const id = event.group_id as string;
      if (event.status === "closed") return close(found, event, ({ group_id }) => group_id === id);
      return open(found, event, "group", event.name as string, id);
    }
    case "phase_update":
    case "phase_complete": {
      if (event.status === "in_progress") return found;
      const name = event.phase_id as string;
      const closed = close(found, event, (section) => section.kind === "phase" && section.name === name);
      return event.status === "active" ? open(closed, event, "phase", name) : closed;
    }
    case "task_status": {
      const begins = event.status === "STARTED";
      if (event.status == null || (begins && !event.attempt)) return found;
      const closed = close(found, event, () => true);
      return begins ? open(closed, event, "attempt", String((retries ?? 0) + 1)) : closed;
    }
    default:
      return found;
  }
}

function open(found: Sections, event: TaskEvent, kind: LogSection["kind"], name: string, group_id: string | null = null): Sections {
  const groups = found.filter((section) => section.kind === "group" && section.ended_at === null).length;
  if (found.length >= MOST_SECTIONS || (kind === "group" && groups >= MOST_OPEN_GROUPS)) return found;
  const started_at = event.timestamp as string;
  const begun = { first_sequence: event.sequence, last_sequence: null, started_at, ended_at: null };
  return [...found, { kind, name, group_id, ...begun }];
}

function close(found: Sections, event: TaskEvent, wanted: (section: LogSection) => boolean): Sections {
  const closes = (section: LogSection): boolean => section.ended_at === null && wanted(section);
  if (!found.some(closes)) return found;
  const end = { last_sequence: event.sequence, ended_at: event.timestamp as string };
  return found.map((section) => (closes(section) ? { ...section, ...end } : section));
}
