import type { Signal } from "@preact/signals";
import { ON_FIRST, setting, type Switch } from "./settings";

/** How this browser shows logs. */
export const wrap = setting<Switch>("log-wrap", ON_FIRST);
export const times = setting<Switch>("log-times", ON_FIRST);

export const setSwitch = (choice: Signal<Switch>, on = choice.value === "off"): void => {
  choice.value = on ? "on" : "off";
};
