import type { Signal } from "@preact/signals";
import { ON_FIRST, setting, type Switch } from "./settings";

/** The times of lines: by the clock, since the run began, since the line before, or none. */
export type Times = "clock" | "start" | "line" | "off";
export const TIMES = ["clock", "start", "line", "off"] as const;
export const TIME_WORDS: Record<Times, string> = {
  clock: "by the clock",
  start: "since the start",
  line: "since the line before",
  off: "off",
};

/** How this browser shows logs. */
export const wrap = setting<Switch>("log-wrap", ON_FIRST);
export const times = setting<Times>("log-times", TIMES);

export const setSwitch = (choice: Signal<Switch>, on = choice.value === "off"): void => {
  choice.value = on ? "on" : "off";
};

export const nextTimes = (): void => {
  times.value = TIMES[(TIMES.indexOf(times.value) + 1) % TIMES.length] as Times;
};
