import { computed, effect, signal } from "@preact/signals";
import type { Connection, Link, Progress } from "../client/watch";
import { announce } from "./announce";

/** How the one connection of the page stands. */
export const link = signal<Link>({ kind: "connecting" });

/** How the task of a run page stands on it; null where the page follows none. Pages set it and take it back. */
export const pageProgress = signal<Progress | null>(null);

export type Said = { mark: "good" | "busy" | "bad" | "rest"; word: string; title: string };

/** What the header says; the seconds until the next try are added by who shows them. */
export const said = computed((): Said => describe(link.value, pageProgress.value));

export function describe(state: Link, progress: Progress | null): Said {
  switch (state.kind) {
    case "live":
      if (progress?.kind === "catching up") {
        const word = `catching up ${progress.behind.toLocaleString("en")}`;
        return { mark: "busy", word, title: "Events that are yet to come until this page is up to date" };
      }
      return { mark: "good", word: "live", title: state.wire === "sse" ? "live · SSE" : "live · Socket.IO" };
    case "connecting":
      return { mark: "busy", word: "connecting", title: "" };
    case "reconnecting":
      return { mark: "bad", word: "reconnecting", title: "What is shown was last known before the connection broke" };
    case "polling":
      return { mark: "rest", word: `polling every ${state.seconds} s`, title: "Neither Socket.IO nor SSE gets through" };
    case "signed out":
      return { mark: "bad", word: "signed out", title: "" };
  }
}

/** Shows how the connection stands, and tells screen readers of each change that matters. */
export function showLink(connection: Connection): void {
  link.value = connection.link;
  connection.listen(() => (link.value = connection.link));
  let before = "live";
  effect(() => {
    const { kind } = link.value;
    // Nobody needs to hear that a page that was just opened connects.
    if (kind === "connecting" || kind === before) return;
    before = kind;
    announce(kind === "live" ? "Live again" : describe(link.value, null).word);
  });
}
