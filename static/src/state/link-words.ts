import { effect, type ReadonlySignal } from "@preact/signals";
import type { Link, Progress } from "../client/watch";
import { announce } from "./announce";
import { count } from "./format";

interface LinkLabel {
  mark: "good" | "busy" | "bad" | "rest";
  word: string;
  title: string;
}

/** Returns how a page shows the state of its connection, without the seconds until the next try. */
export function labelOf(state: Link, progress: Progress | null, isSilent = false): LinkLabel {
  if (isSilent && (state.kind === "live" || state.kind === "polling")) {
    return { mark: "bad", word: "no answer for 12 s", title: "What is shown was last known before the server fell silent" };
  }
  switch (state.kind) {
    case "live":
      if (progress?.kind === "loading" && progress.problem) {
        return { mark: "bad", word: "not up to date", title: `${progress.problem.title}: it is tried again` };
      }
      if (progress?.kind === "catching up") {
        const word = `catching up ${count(progress.behind)}`;
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

/** Whether what a page shows is what was last known, and perhaps no more than that. `progress`: of the run that it shows. */
export function isStale({ kind }: Link, progress: Progress | null, isSilent: boolean): boolean {
  if (progress?.kind === "ended") return false;
  return isSilent || !(kind === "polling" || (kind === "live" && progress?.kind === "current"));
}

/** Announces a break of the connection and its end to screen readers, but not the first connection of a page. Returns a
 * function that stops it. */
export function announceLink(state: ReadonlySignal<Link>): () => void {
  let before = "live";
  return effect(() => {
    const { kind } = state.value;
    if (kind === "connecting" || kind === before) return;
    before = kind;
    announce(kind === "live" ? "Live again" : labelOf(state.value, null).word);
  });
}
