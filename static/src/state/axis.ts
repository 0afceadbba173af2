/** The steps of a time axis, in seconds: round numbers of seconds, minutes, hours and days. */
const STEPS = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400,
  172_800, 604_800, 1_209_600, 2_592_000,
];

/** The smallest of them that divides `seconds` into no more than `parts`. */
export const stepFor = (seconds: number, parts: number): number =>
  STEPS.find((step) => seconds / step <= parts) ?? (STEPS.at(-1) as number);

/** Returns the shortest label of a time on the axis: 90 → "1:30", 3600 → "1 h". */
export function axisLabel(seconds: number): string {
  if (seconds < 60) return `${Number(seconds.toFixed(2))} s`;
  const parts: [number, string, number][] = [
    [86_400, "d", 3_600],
    [3_600, "h", 60],
    [60, "m", 1],
  ];
  const [unit, name, below] = parts.find(([size]) => seconds >= size) ?? [1, "s", 1];
  const whole = Math.floor(seconds / unit);
  const rest = Math.round((seconds % unit) / below);
  if (rest === 0) return `${whole} ${name}`;
  return unit === 60 ? `${whole}:${String(rest).padStart(2, "0")}` : `${whole} ${name} ${rest}`;
}
