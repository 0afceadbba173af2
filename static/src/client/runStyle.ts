import { NOTHING_DONE } from "./outcome";

/** The style of the element, in its shadow root; the page sets the variables. */
export const RUN_STYLE = `
:host {
  display: block;
  color-scheme: light dark;
  height: 360px;
  --bg: var(--taskroom-background, light-dark(oklch(100% 0 0), oklch(20% 0.012 285)));
  --fg: var(--taskroom-text, light-dark(oklch(23% 0.012 265), oklch(93% 0.012 285)));
  --soft: var(--taskroom-muted, light-dark(oklch(47% 0.012 265), oklch(71% 0.012 285)));
  --edge: var(--taskroom-line, light-dark(oklch(91.5% 0.012 265), oklch(28% 0.012 285)));
  --run: var(--taskroom-running, light-dark(oklch(50% 0.11 235), oklch(76% 0.12 235)));
  --ok: var(--taskroom-succeeded, light-dark(oklch(50% 0.12 150), oklch(75% 0.13 152)));
  --fail: var(--taskroom-failed, light-dark(oklch(52% 0.19 27), oklch(71% 0.16 25)));
  --wait: var(--taskroom-waiting, light-dark(oklch(53% 0.115 70), oklch(79% 0.12 78)));
}
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
:host([hidden]), [hidden] { display: none !important; }
.run {
  display: flex;
  flex-direction: column;
  box-sizing: border-box;
  height: 100%;
  overflow: hidden;
  border: 1px solid var(--edge);
  border-radius: var(--taskroom-radius, 8px);
  background: var(--bg);
  color: var(--fg);
  font: 14px/20px var(--taskroom-font, Inter, system-ui, sans-serif);
}
p, ol { margin: 0; padding: 0; }
.head { display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 12px; padding: 10px 14px 8px; }
.title { font-weight: 600; overflow-wrap: anywhere; }
.status { color: var(--run); }
.message { padding: 6px 14px; color: var(--soft); overflow-wrap: anywhere; }
.message:empty { display: none; }
.status[data-status="SUCCESS"] { color: var(--ok); }
.status[data-status="FAILURE"], .message[data-status="FAILURE"] { color: var(--fail); }
.status[data-status="WAITING"], .status[data-word="${NOTHING_DONE}"] { color: var(--wait); }
.status[data-status="REVOKED"], .status[data-status="PENDING"], .status[data-status="RETRY"] { color: var(--soft); }
.connection { margin-left: auto; color: var(--soft); font-size: 12px; }
.progress { display: flex; flex: none; gap: 2px; height: 6px; margin: 2px 14px; }
.bar {
  position: relative; flex: 1 1 0; min-width: 0; overflow: hidden; border-radius: 1px; color: var(--run);
  background: linear-gradient(currentColor, currentColor) 0 / var(--done) 100% no-repeat var(--edge);
}
.bar:first-child { border-radius: 3px 1px 1px 3px; }
.bar:last-child { border-radius: 1px 3px 3px 1px; }
.bar:only-child { border-radius: 3px; }
.bar[data-state="done"] { color: var(--ok); }
.bar[data-state="failed"] { color: var(--fail); }
.bar[data-state="stopped"] { color: var(--soft); }
.bar[data-state="waiting"] { background: repeating-linear-gradient(-45deg, var(--wait) 0 3px, var(--edge) 3px 6px); }
.bar[data-state="not-reached"] { background: repeating-linear-gradient(90deg, var(--edge) 0 3px, transparent 3px 6px); }
.bar[data-state="running"]::after {
  content: ""; position: absolute; inset: 0; translate: -100%;
  background: linear-gradient(90deg, transparent, color-mix(in srgb, var(--bg) 55%, transparent), transparent);
  animation: work 2.4s ease-in-out infinite;
}
@keyframes work { 60%, to { translate: 100%; } }
.phases { display: flex; flex-wrap: wrap; gap: 2px 16px; padding: 0 14px 8px; list-style: none; font-size: 12px; }
.phases:empty { display: none; }
.phase { color: var(--soft); }
.phase[data-status="active"], .phase[data-status="in_progress"] { color: var(--run); }
.phase[data-status="error"] { color: var(--fail); }
.phase[data-status="completed"] .phase-name::after { content: " ✓"; color: var(--ok); }
.phase-count { margin-left: 6px; font-variant-numeric: tabular-nums; }
.log {
  flex: 1;
  min-height: 0;
  overflow: auto;
  padding: 8px 14px;
  border-top: 1px solid var(--edge);
  font: 12.5px/20px var(--taskroom-mono, "JetBrains Mono", ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace);
}
.log:focus-visible { outline: 2px solid var(--run); outline-offset: -2px; }
.line { display: flex; gap: 12px; }
.line span { flex: 1; min-width: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.time { flex: none; color: var(--soft); }
.line[data-level="WARNING"] span { color: var(--wait); }
.line[data-level="ERROR"] span, .line[data-level="CRITICAL"] span { color: var(--fail); }
.note { color: var(--soft); }
@media (prefers-reduced-motion: reduce) { .bar[data-state="running"]::after { display: none; } }
`;
