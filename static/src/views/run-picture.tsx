import type { Segment } from "../state/phase-bar";
import { BarPicture } from "./phase-bar";

const SEGMENTS: readonly Segment[] = [
  { phase_id: "read", state: "done", share: 0.18, done: 1, errors: 0 },
  { phase_id: "check", state: "done", share: 0.3, done: 1, errors: 3 },
  { phase_id: "write", state: "running", share: 0.37, done: 0.6, errors: 0 },
  { phase_id: "tell", state: "not begun", share: 0.15, done: 0, errors: 0 },
];
const LINES = ["10:02:41  invoice 1,482 is written", "10:02:41  invoice 1,483 is written", "10:02:42  invoice 1,484 is written"];

/** What a run looks like, for those who see none yet. */
export const RunPicture = () => (
  <div class="run-picture" aria-hidden="true">
    <p>
      <b>Invoices of November</b>
      <span class="number">
        <b>71 %</b> 0:42
      </span>
    </p>
    <BarPicture segments={SEGMENTS} />
    <pre>{LINES.join("\n")}</pre>
  </div>
);
