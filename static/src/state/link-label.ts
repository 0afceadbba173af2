import { computed, signal } from "@preact/signals";
import type { Progress } from "../client/watch";
import { link } from "./app";
import { stoppedAt } from "./clock";
import { labelOf } from "./link-words";

/** The progress of the task of a run page; null on other pages. The page sets it. */
export const pageProgress = signal<Progress | null>(null);

/** The state of the connection as the header shows it, without the seconds until the next try. */
export const linkLabel = computed(() => labelOf(link.value, pageProgress.value, stoppedAt.value !== null));
