import type { Below } from "../client/observed";
import { quantity } from "./format";

/** Says how many tasks below a run failed; null for none. */
export function failedText(below: Below | null): string | null {
  if (!below?.failed) return null;
  return `${below.complete ? "" : "at least "}${quantity(below.failed, "task")} below failed`;
}
