import { useComputed } from "@preact/signals";
import { serverNow } from "../client/serverClock";
import { now } from "../state/app";
import { clock, moment } from "../state/format";

const EXACT = new Intl.DateTimeFormat(undefined, {
  weekday: "short",
  year: "numeric",
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hourCycle: "h23",
  timeZoneName: "short",
});

/** With the reader's zone, and as the server wrote it. */
export const exact = (at: string): string => `${EXACT.format(new Date(at))}\n${at}`;

const STEPS: [seconds: number, unit: string][] = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
];

/** "just now", "3 min ago", "5 h ago"; older than a week: the moment. `at` in milliseconds. */
export function ago(timestamp: string, at: number): string {
  const seconds = (at - Date.parse(timestamp)) / 1_000;
  if (seconds >= 7 * 86_400) return moment(timestamp);
  const [length, unit] = STEPS.find(([step]) => seconds >= step) ?? [0, ""];
  return length ? `${Math.floor(seconds / length)} ${unit} ago` : "just now";
}

interface Props {
  at: string;
  as?: "moment" | "clock" | "relative";
  class?: string;
  /** Not within a link or a button: the exact time then also shows when the keyboard comes by. */
  focusable?: boolean;
}

/** A time in the reader's zone; the exact one on hover. */
export function Time({ at, as = "moment", focusable, ...rest }: Props) {
  return (
    <time
      dateTime={at}
      title={exact(at)}
      class={`number ${rest.class ?? ""}`}
      data-exact={focusable ? exact(at) : undefined}
      tabIndex={focusable ? 0 : undefined}
    >
      {as === "relative" ? <Ago at={at} /> : as === "clock" ? clock(at) : moment(at)}
    </time>
  );
}

/** Drawn again when the words change, not at every tick. */
function Ago({ at }: { at: string }) {
  const words = useComputed(() => ago(at, (now.value, serverNow())));
  return <>{words}</>;
}
