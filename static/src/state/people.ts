import { signal } from "@preact/signals";
import type { Person } from "../client/taskLists";
import { api } from "./app";
import { taskFilterOf, type RunFilter } from "./filter";

/** The users whose runs the list of each scope has; nobody before they are loaded, and where they cannot be. */
export const people = signal<Partial<Record<RunFilter["scope"], readonly Person[]>>>({});

export async function loadPeople(filter: RunFilter): Promise<void> {
  const { scope } = filter;
  if (scope === "mine") return;
  try {
    people.value = { ...people.value, [scope]: await api.people(taskFilterOf(filter).scope) };
  } catch {
    // The list says that the server does not answer; the filter has those that were known.
  }
}

/** What a list calls someone: the part of the address before the host, where the reader may know it. */
export const shortName = (name: string | null | undefined): string => (name ? (name.split("@")[0] as string) : "another user");
