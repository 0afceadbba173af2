export const HOUR_MS = 3_600_000;

const THIS_YEAR = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
const OTHER_YEAR = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric" });

/** Returns the day of a time as a heading says it, in the time zone of the reader: "Today", "Yesterday", "Monday 2 March". */
export function dayName(at: number, now: number): string {
  const day = dayOf(at);
  if (day === dayOf(now)) return "Today";
  if (day === dayOf(new Date(now).setHours(-12))) return "Yesterday";
  const format = new Date(at).getFullYear() === new Date(now).getFullYear() ? THIS_YEAR : OTHER_YEAR;
  return format.format(at).replace(",", "");
}

/** The day of a time, in the time zone of the reader. */
export const dayOf = (at: number): string => new Date(at).toDateString();
