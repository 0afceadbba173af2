import type { Tone } from "../state/marks";

/** Progress in percent, or null where it is not known. It is drawn by scaling, which moves nothing else on the page. */
export function ProgressBar({ value, tone, label }: { value: number | null; tone: Tone; label: string }) {
  if (value === null) {
    return (
      <div class={`bar unknown s-${tone}`} role="progressbar" aria-label={label}>
        <div />
      </div>
    );
  }
  return (
    <div class={`bar s-${tone}`} role="progressbar" aria-label={label} aria-valuenow={value}>
      <div style={{ transform: `scaleX(${value / 100})` }} />
    </div>
  );
}
